"""An array card's transistor, as ngspice sees it: its current when on, its capacitance when off, its gate's energy."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.cards.array import ArrayCard, SwitchKind
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.files import sha256_of, writing
from mtjspice.netlist.context import TransistorContext
from mtjspice.netlist.render import render_transistor_cycle, render_transistor_sweep
from mtjspice.spice.libraries import library_name, library_text
from mtjspice.spice.ngspice import run_deck, run_points

_DIFFERENCE_V = (-1.21, 1.21, 0.02)
"""No zero: there the conductance is what the neighbours say, and so the current is zero exactly."""
_MEAN_STEP_V = 0.05
_HIGHEST_MEAN_V = 2.0
_ON_S = 1e-9
_LINE_V = 1.0
"""To which the off transistor's line goes, about what floating lines come to."""
_TIME_LIMIT_S = 60.0


def switch_table(array: ArrayCard, r_junction_ohm: float) -> SwitchTable:
    """Return the switches of an array: a formula for ideal ones, ngspice's answers for transistors.

    Args:
        r_junction_ohm: a typical junction; it is in series while the gate's cycle is measured.

    Raises:
        InputError: the library cannot be used, or lacks the model.
        NgspiceMissingError, SimulationError: ngspice is missing, or does not simulate the transistor.
    """
    switches = array.switches
    if switches.kind is SwitchKind.IDEAL:
        return SwitchTable.ideal(switches.r_on_ohm * switches.select_width_m)
    library = library_text(switches)
    lowest = array.levels.bulk_v
    means = np.arange(round((_HIGHEST_MEAN_V - lowest) / _MEAN_STEP_V) + 1) * _MEAN_STEP_V + lowest
    first, last, step = _DIFFERENCE_V
    differences = np.linspace(first, last, round((last - first) / step) + 1)
    context = TransistorContext(
        library=library_name(switches),
        model=switches.model,
        width_m=switches.select_width_m,
        length_m=switches.length_m,
        levels=array.levels,
        # Half a step beyond, so that rounding does not drop the last point.
        mean_v=(lowest, float(means[-1]) + _MEAN_STEP_V / 2, _MEAN_STEP_V),
        difference_v=(first, last + step / 2, step),
        edge_s=array.timing.edge_s,
        on_s=_ON_S,
        stop_s=_ON_S + 20 * array.timing.edge_s,
        r_drain_ohm=r_junction_ohm,
        line_v=_LINE_V,
    )
    scratch = Path(tempfile.gettempdir(), "the simulation's scratch files")
    with writing(scratch), tempfile.TemporaryDirectory(prefix="mtjspice-") as name:
        folder = Path(name)
        (folder / context.library).write_text(library)
        points = len(means) * len(differences)
        sweep = run_points(render_transistor_sweep(context), folder, points=points, time_limit_s=_TIME_LIMIT_S)
        cycle = run_deck(render_transistor_cycle(context), folder, stop_s=context.stop_s, time_limit_s=_TIME_LIMIT_S)
    current = sweep["i(vdrain)"][:points].reshape(len(means), len(differences))
    energy_j = -sum(
        np.trapezoid(cycle[f"v({node})"] * cycle[f"i(v{node})"], cycle["time"]) for node in ("gate", "bulk")
    )
    # Up to where the gate, and the line of the other transistor with it, is on.
    on = cycle["time"] <= array.timing.edge_s + _ON_S
    charge_c = -float(np.trapezoid(cycle["i(vline)"][on], cycle["time"][on]))
    return SwitchTable(
        mean_v=means,
        difference_v=differences,
        g_s_per_m=current / differences / switches.select_width_m,
        cycle_j_per_m=float(energy_j) / switches.select_width_m,
        off_f_per_m=charge_c / _LINE_V / switches.select_width_m,
        source=table_source(array),
    )


def table_source(array: ArrayCard) -> dict[str, Any]:
    """Return everything that a transistor's table depends on, as plain data."""
    switches = array.switches
    return {
        "model": switches.model,
        "library_sha256": sha256_of(library_text(switches)),
        "length_m": switches.length_m,
        "width_m": switches.select_width_m,
        "levels": array.levels.model_dump(),
        "edge_s": array.timing.edge_s,
    }
