"""The fast array: reads and writes without SPICE, from a calibrated cell and the exact network around it."""
