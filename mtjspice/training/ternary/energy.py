"""What training in ternary synapses takes, by the energy card: forward reads of images, and pulses that were given."""

from typing import Any, NamedTuple

import numpy as np

from mtjspice.cards.junction import load_card
from mtjspice.cards.ternary_energy import TernaryEnergyCard, load_ternary_energy
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.surrogate.ternary_energy import SynapseEnergy, read_energy, write_energy
from mtjspice.training.ternary.networks import QuantisedNet

ENERGY_CARD = "ternary"
_RESTS_ON = (
    "assumptions of the card, which `mtjspice ternary energy` lists beside others that give the published TOPs/W; "
    "pulses have the card's currents and time, whatever the junctions"
)
_LEFT_OUT = (
    "errors going back: they are real numbers, and the array's inputs are -1, 0 and 1",
    "gradients, proposals, normalisation and activations, which are digital",
    "wires, and the memory of gradients and proposals",
)


class PairEnergy(NamedTuple):
    """Of one synapse, in a read and in an update."""

    card: TernaryEnergyCard
    read: SynapseEnergy
    write: SynapseEnergy


def pair_energy(junction_card: str) -> PairEnergy:
    """Return what the shipped energy card makes of a read and of an update of one synapse.

    Args:
        junction_card: of the junctions, by name or file.

    Raises:
        InputError: there is no such card.
    """
    card, parameters = load_ternary_energy(ENERGY_CARD), MacrospinParameters.from_card(load_card(junction_card))
    return PairEnergy(card, read_energy(card, parameters), write_energy(card, parameters))


def training_energy(energy: PairEnergy, net: QuantisedNet, images: int, pulses: np.ndarray) -> dict[str, Any]:
    """Return energies of a network's reads and updates, J, and of what they rest on, as plain data.

    A filter's weights are read once at each of its places. The first layer's pixels count as inputs of the card's
    voltage, though most are smaller. A pulse costs what the card says of a synapse that gets one, whatever its width.

    Args:
        energy: of one synapse.
        net: the layers.
        images: of an epoch.
        pulses: (epochs,) that synapses were given.
    """
    read, write, reads = energy.read, energy.write, net.reads
    pulse_j = write.total_j / energy.card.write.share
    return {
        "rests_on": _RESTS_ON,
        "card": energy.card.model_dump(mode="json", by_alias=True),
        "read": {
            "synapse_j": read.total_j,
            "tops_per_w": read.tops_per_w,
            "multiply_accumulates": reads,
            "image_j": reads * read.total_j,
            "epoch_j": images * reads * read.total_j,
        },
        "update": {
            "pulse_j": pulse_j,
            "tops_per_w": write.tops_per_w,
            "pulses": pulses.tolist(),
            "epochs_j": (pulses * pulse_j).tolist(),
        },
        "left_out": list(_LEFT_OUT),
    }
