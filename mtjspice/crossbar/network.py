"""The exact network of a small array in one instant: wires, switches that are on, bias-dependent junctions; by Newton.

Nodes are the ends of every wire segment and of every line switch. A 1T1R cell, junction and select transistor in
series, is one branch whose inner node is solved for by itself. Every node leaks 0.1 pS to the common mode, so that a
line whose cells are all open has a voltage too.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from mtjspice.cards.array import Architecture, ArrayCard
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.errors import SimulationError

_LEAK_S = 1e-13
_TOLERANCE_V = 1e-10
_MOST_ITERATIONS = 60
_LONGEST_STEP_V = 0.5
_DENSE = 400
"""Up to so many nodes a dense solution is faster than a sparse one."""


@dataclass(frozen=True)
class Operation:
    """Which lines are driven.

    Args:
        row_v: (rows,) driver levels.
        row_on: (rows,) whether a 1R row is connected to its driver.
        column_on: (columns,) whether a column is connected to its sense amplifier, or whatever else holds its level.
        column_v: (columns,) that level, or one for all.
    """

    row_v: np.ndarray
    row_on: np.ndarray
    column_on: np.ndarray
    column_v: np.ndarray | float = 0.0


@dataclass(frozen=True)
class Solution:
    """Voltages and currents of one instant.

    Args:
        v_junction_v: (rows, columns) over each junction, pinned minus free.
        i_cell_a: (rows, columns) from row to column.
        v_row_v: (rows,) of each row, behind its switch in 1R.
        v_column_v: (columns,) of each column, before its switch in 1R.
        i_row_a: (rows,) out of each driver.
        i_column_a: (columns,) into what holds each column.
        r_series_ohm: (rows, columns) Thevenin resistance that each junction sees; None unless asked for.
        kcl_residual_a: the largest current that a node is off by.
    """

    v_junction_v: np.ndarray
    i_cell_a: np.ndarray
    v_row_v: np.ndarray
    v_column_v: np.ndarray
    i_row_a: np.ndarray
    i_column_a: np.ndarray
    r_series_ohm: np.ndarray | None
    kcl_residual_a: float


class Network:
    """An array's wires and switches; `solve` puts cells and an operation to it.

    Args:
        architecture: 1T1R or 1R.
        array: the card.
        shape: (rows, columns).
        table: of the array's switches.
    """

    def __init__(
        self, architecture: Architecture, array: ArrayCard, shape: tuple[int, int], table: SwitchTable
    ) -> None:
        self.architecture, self.array, self.shape, self.table = architecture, array, shape, table
        rows, columns = shape
        r_segment = array.wires.r_segment_ohm
        one_r = architecture is Architecture.ONE_R
        # Node numbers: first those to solve for, then the drivers, then what holds the columns.
        count = 0

        def new(*size: int) -> np.ndarray:
            nonlocal count
            first, count = count, count + int(np.prod(size))
            return np.arange(first, count).reshape(size)

        row_cell = new(rows, columns) if r_segment else None
        column_cell = new(rows, columns) if r_segment else None
        row_line = new(rows) if one_r else None
        column_line = new(columns) if one_r else None
        self.unknowns = count
        self.driver = np.arange(count, count + rows)
        self.column_end = np.arange(count + rows, count + rows + columns)
        self.row_line, self.column_line = row_line, column_line
        row_start = self.driver if row_line is None else row_line
        column_end = self.column_end if column_line is None else column_line
        if row_cell is not None and column_cell is not None:
            tails = np.concatenate((row_start, row_cell[:, :-1].ravel(), column_cell[:-1].ravel(), column_cell[-1]))
            heads = np.concatenate((row_cell[:, 0], row_cell[:, 1:].ravel(), column_cell[1:].ravel(), column_end))
            self.cell_a, self.cell_b = row_cell.ravel(), column_cell.ravel()
            self._wires = (tails, heads, np.full(len(tails), 1 / r_segment))
        else:
            self.cell_a = np.repeat(row_start, columns)
            self.cell_b = np.tile(column_end, rows)
            self._wires = (np.empty(0, dtype=int), np.empty(0, dtype=int), np.empty(0))

    @cached_property
    def _row_width_m(self) -> float:
        return self.array.switches.row_width_per_cell_m * self.shape[1]

    @cached_property
    def _column_width_m(self) -> float:
        return self.array.switches.column_width_per_cell_m * self.shape[0]

    def solve(self, cells: Cells, operation: Operation, *, thevenin: bool = False) -> Solution:
        """Return the solution with `cells` under `operation`.

        Args:
            thevenin: also find the resistance that each junction sees.

        Raises:
            SimulationError: Newton does not converge.
            ModelError: a switch outside its table.
        """
        voltages = np.zeros(self.unknowns + sum(self.shape))
        voltages[self.driver] = operation.row_v
        voltages[self.column_end] = operation.column_v
        inner = np.zeros(self.shape)
        branches = self._branches(cells, operation, voltages, inner)
        for _ in range(_MOST_ITERATIONS):
            residual, jacobian = self._assemble(branches, voltages)
            if self.unknowns == 0:
                break
            step = self._linear_solve(jacobian, residual)
            step *= min(1.0, _LONGEST_STEP_V / max(np.abs(step).max(), 1e-300))
            voltages[: self.unknowns] -= step
            branches = self._branches(cells, operation, voltages, inner)
            if np.abs(step).max() < _TOLERANCE_V:
                residual, jacobian = self._assemble(branches, voltages)
                break
        else:
            raise SimulationError(
                "the array's network did not converge",
                given=f"{_MOST_ITERATIONS} Newton steps, the last of {np.abs(step).max():.3g} V",
                next_step="check resistances and levels of the array card",
            )
        return self._solution(cells, operation, voltages, branches, residual, jacobian, inner, thevenin)

    def _branches(
        self, cells: Cells, operation: Operation, voltages: np.ndarray, inner: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Return (a, b, current, dI/dV_a, dI/dV_b) of wires, cells, row switches, column switches."""
        a, b, g = self._wires
        found = [(a, b, g * (voltages[a] - voltages[b]), g, -g)]
        found.append((self.cell_a, self.cell_b, *self._cells(cells, operation, voltages, inner)))
        if self.row_line is not None and self.column_line is not None:
            for nodes, line, width_m, on in (
                (self.driver, self.row_line, self._row_width_m, operation.row_on),
                (self.column_line, self.column_end, self._column_width_m, operation.column_on),
            ):
                current, by_a, by_b = self.table.current_a(width_m, voltages[nodes], voltages[line])
                found.append((nodes, line, current * on, by_a * on, by_b * on))
        return found

    def _cells(
        self, cells: Cells, operation: Operation, voltages: np.ndarray, inner: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the cells' currents and derivatives, flat; `inner` keeps the 1T1R cells' inner voltages."""
        v_a = voltages[self.cell_a].reshape(self.shape)
        v_b = voltages[self.cell_b].reshape(self.shape)
        if self.architecture is Architecture.ONE_R:
            g, tangent = cells.conductance_s(v_a - v_b)
            return (g * (v_a - v_b)).ravel(), tangent.ravel(), -tangent.ravel()
        width_m = self.array.switches.select_width_m
        for _ in range(_MOST_ITERATIONS):
            g, tangent = cells.conductance_s(v_a - inner)
            into, by_inner, by_b = self.table.current_a(width_m, inner, v_b)
            change = (into - g * (v_a - inner)) / (by_inner + tangent)
            inner -= np.clip(change, -_LONGEST_STEP_V, _LONGEST_STEP_V)
            if np.abs(change).max() < _TOLERANCE_V:
                break
        g, tangent = cells.conductance_s(v_a - inner)
        _, by_inner, by_b = self.table.current_a(width_m, inner, v_b)
        # Eliminating the inner node: dI/dV_a = t s/(t + s), dI/dV_b = t by_b/(t + s).
        share = np.divide(tangent, tangent + by_inner, out=np.zeros(self.shape), where=tangent > 0)
        on = np.broadcast_to(operation.column_on, self.shape)
        return (
            (on * g * (v_a - inner)).ravel(),
            (on * share * by_inner).ravel(),
            (on * share * by_b).ravel(),
        )

    def _assemble(
        self,
        branches: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]],
        voltages: np.ndarray,
    ) -> tuple[np.ndarray, coo_array]:
        """Return the currents out of every unknown node, and their derivatives."""
        n = self.unknowns
        a, b, current, by_a, by_b = (np.concatenate(parts) for parts in zip(*branches, strict=True))
        residual = np.bincount(a, current, len(voltages)) - np.bincount(b, current, len(voltages))
        rows = np.concatenate((a, a, b, b, np.arange(n)))
        columns = np.concatenate((a, b, a, b, np.arange(n)))
        values = np.concatenate((by_a, by_b, -by_a, -by_b, np.full(n, _LEAK_S)))
        kept = (rows < n) & (columns < n)
        jacobian = coo_array((values[kept], (rows[kept], columns[kept])), shape=(n, n))
        return residual[:n] + _LEAK_S * voltages[:n], jacobian

    def _linear_solve(self, jacobian: coo_array, right: np.ndarray) -> np.ndarray:
        if self.unknowns <= _DENSE:
            return np.linalg.solve(jacobian.toarray(), right)
        return np.asarray(splu(jacobian.tocsc()).solve(right))

    def _solution(
        self,
        cells: Cells,
        operation: Operation,
        voltages: np.ndarray,
        branches: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]],
        residual: np.ndarray,
        jacobian: coo_array,
        inner: np.ndarray,
        thevenin: bool,
    ) -> Solution:
        _, _, current, by_a, _ = branches[1]
        i_cell = current.reshape(self.shape)
        v_a, v_b = voltages[self.cell_a].reshape(self.shape), voltages[self.cell_b].reshape(self.shape)
        one_r = self.architecture is Architecture.ONE_R
        on = np.ones(self.shape, dtype=bool) if one_r else np.broadcast_to(operation.column_on, self.shape)
        v_junction = v_a - v_b if one_r else np.where(on, v_a - inner, 0.0)
        if one_r:
            i_row, i_column = branches[2][2], branches[3][2]
            for nodes, line, line_on in (
                (self.driver, self.row_line, operation.row_on),
                (self.column_line, self.column_end, operation.column_on),
            ):
                self.table.require(voltages[nodes][line_on], voltages[line][line_on])
        else:
            i_row, i_column = i_cell.sum(axis=1), i_cell.sum(axis=0)
            self.table.require(inner[on], v_b[on])
        return Solution(
            v_junction_v=v_junction,
            i_cell_a=i_cell,
            v_row_v=voltages[self.driver if self.row_line is None else self.row_line],
            v_column_v=voltages[self.column_end if self.column_line is None else self.column_line],
            i_row_a=i_row,
            i_column_a=i_column,
            r_series_ohm=self._thevenin(on, by_a, jacobian, inner, v_b) if thevenin else None,
            kcl_residual_a=float(np.abs(residual).max(initial=0.0)),
        )

    def _thevenin(
        self,
        on: np.ndarray,
        by_a: np.ndarray,
        jacobian: coo_array,
        inner: np.ndarray,
        v_b: np.ndarray,
    ) -> np.ndarray:
        """Return what each junction sees: the network between its cell's ends, and its select transistor.

        With the cell in place a current through it, from its column's end to its row's, moves the junction's voltage by
        q' J^-1 u per ampere; the cell's own tangent is taken out of it. The junction feels of its column's end what the
        transistor's inner node does: all of it but for the transistor's dependence on the mean voltage.
        """
        n = self.unknowns
        network = np.zeros(self.shape)
        one_r = self.architecture is Architecture.ONE_R
        _, by_inner, by_b = self.table.current_a(self.array.switches.select_width_m, inner, v_b)
        follows = np.ones(self.cell_b.size) if one_r else (-by_b / by_inner).ravel()
        if n:
            inverse = np.linalg.inv(jacobian.toarray()) if n <= _DENSE else splu(jacobian.tocsc()).solve(np.eye(n))
            full = np.zeros((n + sum(self.shape),) * 2)
            full[:n, :n] = inverse
            a, b = self.cell_a, self.cell_b
            impedance = full[a, a] - full[a, b] + follows * (full[b, b] - full[b, a])
            network = (impedance / (1 - by_a * impedance)).reshape(self.shape)
        return network if one_r else np.where(on, network + 1 / by_inner, np.inf)
