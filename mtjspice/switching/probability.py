"""The probability that one pulse switches a junction, by any engine but measurements."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mtjspice.cards.campaign import CampaignCard
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import InputError, SimulationError
from mtjspice.files import make_folder, sha256_of, write_json
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.spice.ngspice import find_ngspice, ngspice_version
from mtjspice.switching.deterministic import probabilities
from mtjspice.switching.intervals import exact_interval
from mtjspice.switching.monte_carlo import measure
from mtjspice.switching.points import Engine, Point
from mtjspice.switching.provenance import provenance_of


def probability_of_pulse(
    card: JunctionCard,
    campaign: CampaignCard,
    engine: Engine,
    point: Point,
    *,
    seed: int,
    executor: Executor,
    folder: Path | None,
    resume: bool,
    progress: ProgressBars,
) -> dict[str, Any]:
    """Return probability, trials, switched, low95, high95, not_simulated and provenance, as plain data.

    Args:
        campaign: time step and batch size of the simulation.
        point: one pulse, of one width.
        folder: keeps finished batches while the trials run, and ``probability.json`` at the end; None keeps nothing.

    Raises:
        InputError: the measured engine, or an unfinished run in `folder` without `resume`.
        ModelError: outside the engine's range.
        SimulationError: no trial could be simulated.
    """
    if engine is Engine.MEASURED:
        raise InputError(
            "measurements answer for calibrations only",
            given="--engine measured",
            next_step="mtjspice calibrate CARD --engine measured --data pulses.csv",
        )
    parameters = MacrospinParameters.from_card(card)
    ngspice = str(ngspice_version(find_ngspice())) if engine is Engine.NGSPICE else "not asked for"
    provenance = provenance_of(card, campaign, engine, ngspice, seed)
    pulse = {
        "direction": point.direction.value,
        "drive": point.drive.value,
        "level": point.level,
        "width_s": point.widths_s[0],
    }
    if engine in (Engine.FOKKER_PLANCK, Engine.CLOSED_FORM):
        (p,) = probabilities(engine, parameters, point.direction, point.drive, [point.level], point.widths_s)[
            0
        ].tolist()
        found = {"probability": p, "trials": None, "switched": None, "low95": p, "high95": p, "not_simulated": []}
    else:
        identity = sha256_of([provenance, pulse, point.trials])
        keeping = Checkpoint(make_folder(folder) / "checkpoint", identity) if folder else nullcontext()
        with keeping as checkpoint:
            if checkpoint:
                checkpoint.require_resume(resume)
            with progress(f"{engine}: pulses") as on_progress:
                (counts,) = measure(
                    engine,
                    parameters,
                    [point],
                    time_step_s=campaign.time_step_s,
                    batch_size=campaign.batch_size,
                    seed=seed,
                    executor=executor,
                    checkpoint=checkpoint,
                    on_progress=on_progress,
                )
            if checkpoint:
                checkpoint.remove()
        if counts.trials == 0:
            raise SimulationError("no trial could be simulated", given="; ".join(counts.not_simulated))
        switched = int(counts.switched[0])
        low, high = exact_interval(switched, counts.trials)
        found = {
            "probability": switched / counts.trials,
            "trials": counts.trials,
            "switched": switched,
            "low95": float(low),
            "high95": float(high),
            "not_simulated": [{"trials": n, "reason": reason} for reason, n in counts.not_simulated.items()],
        }
    result = {"schema": 1, **pulse, **found, "provenance": provenance}
    if folder:
        write_json(make_folder(folder) / "probability.json", result)
    return result
