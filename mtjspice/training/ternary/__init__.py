"""Networks of quantised weights and activations, trained in synapses of one or two junctions."""
