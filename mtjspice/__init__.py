"""mtjspice: magnetic tunnel junctions from the device card to calibrated stochastic writes."""

__version__ = "0.1.0"
