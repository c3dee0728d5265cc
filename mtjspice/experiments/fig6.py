"""Fig. 6: the error while 1R arrays of different variation are trained."""

from mtjspice.experiments.reproduction import Cell, Conditions, curve

TITLE = "Fig. 6, mean squared error of training on 1R arrays with variation"
_PANELS = (("sonar", "2L15"), ("mnist", "2L100"))
"""The paper names two data sets; the networks are those of Fig. 7."""
_PERCENT = (0, 5, 10, 20)


def fig6(conditions: Conditions) -> list[Cell]:
    """Return all curves."""
    return [
        curve(conditions, data, net, f"{percent} %", variation_percent=float(percent))
        for data, net in _PANELS
        for percent in _PERCENT
    ]
