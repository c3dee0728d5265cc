"""`SpiceArray`: a crossbar that is read and written in SPICE, as `SurrogateArray` is without it."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Self

import numpy as np

from mtjspice.cards.array import SwitchKind
from mtjspice.cosim.spice_write import SpiceTask, run_spice_write
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError, SimulationError
from mtjspice.netlist.render import render_crossbar
from mtjspice.schedule import Phase, read_phase, read_schedule, write_schedule
from mtjspice.spice.crossbar_decks import read_context
from mtjspice.spice.libraries import library_name, library_text
from mtjspice.surrogate.array import ReadOutcome, read_outcome
from mtjspice.surrogate.exact_write import WriteOutcome
from mtjspice.surrogate.model import ArrayModel
from mtjspice.units import spice_number


class SpiceArray:
    """An array in SPICE: reads are operating points of a deck that stays loaded, writes are transients.

    The deck of reads is libngspice's only circuit: use the array in a ``with`` statement, one at a time in a process.

    Args:
        model: the calibrated cell and the array around it; the same object makes the surrogate.
        cells: states, resistances, defects.
        seed, key: of the thermal fields; every write has fields of its own.

    Raises:
        NgspiceMissingError: no libngspice.
    """

    def __init__(self, model: ArrayModel, cells: Cells, seed: int, key: tuple[int, ...]) -> None:
        # Imported here, so that what only refers to this class works without PySpice.
        from mtjspice.spice.session import open_session

        self.model, self.cells = model, cells
        self._seed, self._key, self._writes = seed, key, 0
        self._session = open_session()
        self._loaded = ExitStack()
        self._loaded_state: np.ndarray | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._unload()

    @property
    def state(self) -> np.ndarray:
        """(rows, columns), 1 parallel, 0 antiparallel."""
        return self.cells.state

    def read(self, x: np.ndarray) -> ReadOutcome:
        """Return the outcome of reading inputs `x`, (rows,) in [-1, 1].

        Its energy is the operating point's power over the read, and what the gates take by the switch table.

        Raises:
            InputError: an input out of range or of another length, or an unusable transistor library.
            SimulationError: ngspice finds no operating point.
        """
        rows, columns = self.state.shape
        model = self.model
        phase = read_phase(x, columns, model.array, 0.0)
        if len(phase.row_v) != rows:
            raise InputError(
                "the inputs do not fit the array", given=f"{len(phase.row_v)} inputs", allowed=f"{rows} rows"
            )
        point = self._operating_point(phase)
        # A driver also feeds its row's reference cell, which `read_outcome` adds.
        i_row_a = np.array([-point[f"i(vrow{i + 1})"] for i in range(rows)]) - phase.row_v * model.reference_s
        i_column_a = np.array([point[f"i(vsense{j + 1})"] for j in range(columns)])
        sensed_v = np.array([point[f"v(sum{j + 1})"] for j in range(columns)])
        g_p, g_ap = model.cell_conductances_s
        conditions = model.array.read
        return replace(
            read_outcome(model, phase, i_row_a, i_column_a),
            i_reference_a=point["i(vref)"],
            weighted=sensed_v / (conditions.r_feedback_ohm * conditions.v_read_v * (g_p - g_ap) / 2),
        )

    def write(self, x: np.ndarray, delta: np.ndarray, phases: int | None = None) -> WriteOutcome:
        """Write inputs `x`, (rows,), and errors `delta`, (columns,), both in [-1, 1], and return what happened.

        A cell that flips and flips back within the write counts as one that did not.

        Raises:
            InputError: a value out of range, another length, phases that the architecture does not have, or an unusable
                transistor library.
            NgspiceMissingError, SimulationError: no usable ngspice, or it did not finish.
        """
        model = self.model
        schedule = write_schedule(
            x, delta, model.drive, model.architecture, model.array, phases or model.architecture.phases[0]
        )
        key = (*self._key, self._writes)
        result = run_spice_write(SpiceTask(model.device, schedule, self.cells, self._seed, key))
        if result["reason"] is not None:
            raise SimulationError("ngspice did not finish a write", where=f"write {key}", given=result["reason"])
        self._writes += 1
        state = np.array(result["state"], dtype=np.uint8)
        flips = (state != self.state).astype(int)
        self.cells = self.cells.with_state(state)
        return WriteOutcome(state, flips, result["energy_j"], schedule.stop_s)

    def _operating_point(self, phase: Phase) -> Mapping[str, float]:
        """Return the saved vectors of the loaded deck, with its rows at the phase's levels."""
        if self._loaded_state is None or (self._loaded_state != self.state).any():
            self._unload()
            self._loaded.enter_context(self._session.loaded(self._read_deck()))
            self._loaded_state = self.state
        for i, level_v in enumerate(phase.row_v):
            self._session.alter_device(f"vrow{i + 1}", dc=spice_number(float(level_v)))
        waves = self._session.waveforms()
        return dict(zip(waves.names, waves.values[0].tolist(), strict=True))

    def _read_deck(self) -> str:
        """Return a read of zeros, with the transistor library in it: a library has no folder to look for files in."""
        model = self.model
        rows, columns = self.state.shape
        schedule = read_schedule(np.zeros(rows), columns, model.architecture, model.array)
        deck = render_crossbar(read_context(schedule, self.cells, model.device, title="Reads"))
        switches = model.array.switches
        if switches.kind is SwitchKind.BSIM4:
            deck = deck.replace(f".include {library_name(switches)}\n", library_text(switches))
        return deck

    def _unload(self) -> None:
        self._loaded.close()
        self._loaded_state = None
