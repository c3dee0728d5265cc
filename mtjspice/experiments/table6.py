"""Table 6: error rates of networks trained in crossbars whose resistances vary from cell to cell.

The rows without variation are Table 5's.
"""

from mtjspice.cards.array import Architecture
from mtjspice.experiments.paper_values import TABLE_6, printed_error
from mtjspice.experiments.reproduction import Cell, Conditions
from mtjspice.training.plan import Scenario

TITLE = "Table 6, test samples misclassified [%] with variation of R_P and R_AP: the paper's, ours"
_COLUMNS = {"1T1R": Architecture.ONE_T_ONE_R, "1R": Architecture.ONE_R}


def table6(conditions: Conditions) -> list[Cell]:
    """Return all cells."""
    return [
        Cell(
            section=f"{data.upper()} {net}",
            row=f"{percent} %",
            column=column,
            data=data,
            net=net,
            run=conditions.run(data, net, Scenario.STOCHASTIC, architecture, variation_percent=float(percent)),
            printed=both[number],
        )
        for (data, net), printed in TABLE_6.items()
        for percent, both in {0: _without_variation(data, net), **printed}.items()
        for number, (column, architecture) in enumerate(_COLUMNS.items())
    ]


def _without_variation(data: str, net: str) -> tuple[float | None, ...]:
    return tuple(printed_error(f"ST {column}", data, net) for column in _COLUMNS)
