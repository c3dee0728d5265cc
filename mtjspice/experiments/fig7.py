"""Fig. 7: the error while 1R arrays are trained with 4 and with 2 write phases, WBCD besides."""

from mtjspice.cards.array import Architecture
from mtjspice.experiments.reproduction import Cell, Conditions
from mtjspice.training.task import Scenario

TITLE = "Fig. 7, mean squared error of training on 1R arrays with 4 and with 2 write phases"
_PANELS = (("sonar", "2L15"), ("mnist", "2L100"), ("wbcd", "2L20"))
_PHASES = (4, 2)


def fig7(conditions: Conditions) -> list[Cell]:
    """Return all curves."""
    return [
        Cell(
            section=f"{data.upper()} {net}",
            row=f"{phases} phases",
            column="",
            data=data,
            net=net,
            run=conditions.run(data, net, Scenario.STOCHASTIC, Architecture.ONE_R, phases=phases),
        )
        for data, net in _PANELS
        for phases in _PHASES
    ]
