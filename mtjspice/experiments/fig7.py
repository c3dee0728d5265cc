"""Fig. 7: the error while 1R arrays are trained with 4 and with 2 write phases, WBCD besides."""

from mtjspice.experiments.reproduction import Cell, Conditions, curve

TITLE = "Fig. 7, mean squared error of training on 1R arrays with 4 and with 2 write phases"
_PANELS = (("sonar", "2L15"), ("mnist", "2L100"), ("wbcd", "2L20"))
_PHASES = (4, 2)


def fig7(conditions: Conditions) -> list[Cell]:
    """Return all curves."""
    return [
        curve(conditions, data, net, f"{phases} phases", phases=phases) for data, net in _PANELS for phases in _PHASES
    ]
