"""Table 5: error rates of every network in every scenario.

BinaryConnect stands beside the paper's scenarios. As there, devices are ideal but for DP on 1T1R, of 10 % variation.
"""

from mtjspice.cards.array import Architecture
from mtjspice.experiments.paper_values import NETS, TABLE_5, printed_error
from mtjspice.experiments.reproduction import Cell, Conditions
from mtjspice.training.plan import Scenario

TITLE = "Table 5, test samples misclassified [%]: the paper's, ours"
_DP_VARIATION_PERCENT = 10.0
_ROWS: dict[str, tuple[Scenario, Architecture, float]] = {
    "RV": (Scenario.REAL, Architecture.ONE_T_ONE_R, 0.0),
    "BC": (Scenario.BINARY_CONNECT, Architecture.ONE_T_ONE_R, 0.0),
    "DP 1T1R": (Scenario.PROGRAMMED, Architecture.ONE_T_ONE_R, _DP_VARIATION_PERCENT),
    "DP 1R": (Scenario.PROGRAMMED, Architecture.ONE_R, 0.0),
    "ST 1T1R": (Scenario.STOCHASTIC, Architecture.ONE_T_ONE_R, 0.0),
    "ST 1R": (Scenario.STOCHASTIC, Architecture.ONE_R, 0.0),
}


def table5(conditions: Conditions) -> list[Cell]:
    """Return all cells."""
    return [
        Cell(
            section=data.upper(),
            row=row,
            column=net,
            data=data,
            net=net,
            run=conditions.run(data, net, scenario, architecture, variation_percent=variation_percent),
            printed=printed_error(row, data, net) if row in TABLE_5 else None,
        )
        for data, nets in NETS.items()
        for row, (scenario, architecture, variation_percent) in _ROWS.items()
        for net in nets
    ]
