"""The command as a user meets it: what it prints where, its exit status, and what it leaves behind."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Command, Outcome

from mtjspice import cli
from mtjspice.calibration import optimise, sources, surfaces
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import CardError
from mtjspice.junction.fokker_planck import switching_probabilities
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.resources import calibration_folder, models_folder
from mtjspice.switching import monte_carlo, probability
from mtjspice.switching.monte_carlo import Task, run_task
from mtjspice.switching.points import Counts, Point

CALIBRATE_KEYS = {
    "t0_s", "t1_s", "i0_a", "i1_a", "i0_ci95_a", "i1_ci95_a", "eta", "map_rmse", "v_min_v", "v_max_v",
}  # fmt: skip
PULSE = ("probability", "mondal2018", "--direction", "ap_to_p", "--width", "1.5e-9")


def in_a_process(*arguments: object, **environment: str) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", "mtjspice.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def refused(outcome: Outcome, status: int, *messages: str) -> None:
    """Check for one message on stderr, and nothing else."""
    assert outcome.status == status
    assert outcome.out == ""
    assert outcome.err.count("error: ") == 1
    assert "Traceback" not in outcome.err
    for message in messages:
        assert message in outcome.err


def small_campaign(folder: Path, trials: int) -> Path:
    """Write the paper's campaign with fewer levels and `trials` pulses at each."""
    text = (calibration_folder() / "table3.toml").read_text()
    head, _, _ = text.partition("[boundaries]")
    path = folder / "small.toml"
    path.write_text(
        head.replace('"table3"', '"small"')
        + f"[boundaries]\nprobabilities = [0.02, 0.08, 0.3]\ntrials_per_level = {trials}\n"
        + "[map]\nlevels = 2\nwidths = 3\ntrials_per_level = 64\n"
    )
    return path


# --- cards


def test_the_cards_are_listed(mtjspice: Command) -> None:
    shown = mtjspice("card", "list")
    assert shown.status == 0
    assert {line.split()[0] for line in shown.out.splitlines()} >= {"mondal2018", "interfacial65"}
    assert json.loads(mtjspice("card", "list", "--json").out).keys() == {"mondal2018", "interfacial65"}


def test_a_card_is_shown(mtjspice: Command) -> None:
    shown = mtjspice("card", "show", "mondal2018")
    assert (shown.status, shown.err) == (0, "")
    for text in ("60.2", "31.27 uA", "89.79 uA", "1.398 ns", "4.88 kohm", "Not valid for"):
        assert text in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100
    summary = json.loads(mtjspice("card", "show", "mondal2018", "--json").out)
    assert summary["ap_to_p"]["i_c0_a"] == pytest.approx(31.27e-6, rel=1e-3)
    toml = mtjspice("card", "show", "mondal2018", "--toml").out
    assert toml == (models_folder() / "mondal2018.toml").read_text()


def test_a_card_is_checked(mtjspice: Command, tmp_path: Path) -> None:
    assert mtjspice("card", "check", "mondal2018").out == "mondal2018: the card is valid\n"
    text = (models_folder() / "mondal2018.toml").read_text()
    broken = tmp_path / "broken.toml"
    broken.write_text(text.replace("alpha =", "alhpa =").replace("tmr0 = 2.06", "tmr0 = -2"))
    refused(
        mtjspice("card", "check", broken),
        2,
        "alhpa: unknown key; did you mean alpha?",
        "resistance.tmr0 = -2",
        "broken.toml",
    )


@pytest.mark.parametrize("verb", [("card", "show"), ("card", "check"), ("calibrate",)])
def test_an_unknown_card(mtjspice: Command, verb: tuple[str, ...]) -> None:
    refused(mtjspice(*verb, "mondal2019"), 2, "there is no such card", "mondal2019", "did you mean mondal2018?")


def test_an_unknown_campaign(mtjspice: Command) -> None:
    refused(mtjspice("calibrate", "--campaign", "table4"), 2, "there is no such card", "table3")


# --- probability


@pytest.mark.parametrize("engine", ["fokker_planck", "closed_form"])
def test_a_computed_probability(mtjspice: Command, engine: str) -> None:
    asked = (*PULSE, "--current", "90e-6", "--engine", engine)
    shown = mtjspice(*asked, "--json")
    result = json.loads(shown.out)
    assert (shown.status, shown.err) == (0, "")
    assert result.keys() >= {"probability", "trials", "switched", "low95", "high95"}
    assert result["trials"] is result["switched"] is None
    assert result["low95"] == result["high95"] == result["probability"]
    # P0 = 0.05 at 90.48 uA by Fokker-Planck; eq. 5 with its correction is right to a quarter of 1 - P only.
    assert 0.03 < result["probability"] < 0.2
    assert f"P(AP->P) = {result['probability']:.4g}, by {engine}" in mtjspice(*asked).out


def test_a_simulated_probability(mtjspice: Command) -> None:
    asked = (*PULSE, "--current", "110e-6", "--engine", "macrospin", "--trials", "300", "--workers", "1")
    result = json.loads(mtjspice(*asked, "--json").out)
    assert result["trials"] == 300
    assert result["probability"] == result["switched"] / 300
    assert 0 <= result["low95"] < result["probability"] < result["high95"] <= 1
    assert json.loads(mtjspice(*asked, "--json").out) == result
    assert json.loads(mtjspice(*asked, "--json", "--seed", "2").out) != result
    assert f"({result['switched']} of 300 switched), 95 % interval" in mtjspice(*asked).out


def test_a_simulation_that_loses_every_trial(mtjspice: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    point = Point(Direction.AP_TO_P, Drive.CURRENT, 90e-6, (1.5e-9,), 2)
    lost = Counts(point, np.array([0]), 0, {"ngspice failed": 2})
    monkeypatch.setattr(probability, "measure", lambda *_, **__: [lost])
    asked = (*PULSE, "--current", "90e-6", "--engine", "macrospin")
    refused(mtjspice(*asked), 1, "no trial could be simulated", "ngspice failed")


def test_lost_trials_are_told(mtjspice: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    point = Point(Direction.AP_TO_P, Drive.CURRENT, 90e-6, (1.5e-9,), 100)
    monkeypatch.setattr(probability, "measure", lambda *_, **__: [Counts(point, np.array([9]), 90, {"time limit": 10})])
    shown = mtjspice(*PULSE, "--current", "90e-6", "--engine", "macrospin")
    assert "(9 of 90 switched)" in shown.out
    assert "warning: 10 trials could not be simulated and are not counted: time limit" in shown.err


def test_ctrl_c_is_a_message(mtjspice: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(probability, "measure", interrupted)
    refused(mtjspice(*PULSE, "--current", "90e-6", "--engine", "macrospin"), 130, "stopped", "--out and --resume")


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (("--current", "20e-6", "--engine", "closed_form"), ("eq. 5 does not hold", "fokker_planck")),
        (("--voltage", "0.7", "--engine", "closed_form"), ("constant current only",)),
        (("--current", "90e-3", "--engine", "fokker_planck"), ("check the level's unit",)),
        (("--current", "90e-6", "--engine", "measured"), ("calibrations only",)),
        (("--current", "90e-6", "--voltage", "0.7"), ("either --current or --voltage",)),
        ((), ("either --current or --voltage",)),
        (("--current", "90"), ("level is out of range", "90 A")),
        (("--current", "0"), ("level is out of range",)),
        (("--current", "-90e-6"), ("level is out of range",)),
        (("--current", "nan"), ("level is out of range",)),
        (("--current", "90e-6", "--width", "1.5"), ("width is out of range", "1.5 s")),
        (("--current", "90e-6", "--scheduler", "localhost", "--engine", "macrospin"), ("not a scheduler's address",)),
    ],
)
def test_a_question_that_cannot_be_answered(
    mtjspice: Command, options: tuple[str, ...], messages: tuple[str, ...]
) -> None:
    refused(mtjspice(*PULSE, *options), 2, *messages)


@pytest.mark.parametrize(
    "options",
    [
        ("--engine", "spice"),
        ("--trials", "0"),
        ("--workers", "0"),
        ("--seed", "-1"),
        ("--current", "x"),
        ("--amps", "1"),
    ],
)
def test_a_malformed_option(mtjspice: Command, options: tuple[str, ...]) -> None:
    outcome = mtjspice(*PULSE, *options)
    assert (outcome.status, outcome.out) == (2, "")
    assert options[0] in outcome.err
    assert "Traceback" not in outcome.err


def test_debug_shows_the_traceback(mtjspice: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["mtjspice", "--debug", "card", "show", "nothing"])
    with pytest.raises(CardError):
        cli.main()


@pytest.mark.slow
def test_the_installed_command_in_a_process_of_its_own() -> None:
    refused(in_a_process("card", "show", "nothing"), 2, "there is no such card")
    debugged = in_a_process("--debug", "card", "show", "nothing")
    assert debugged.status != 0
    assert "Traceback" in debugged.err


# --- calibrate


@pytest.mark.slow
def test_without_ngspice_auto_says_so_and_still_calibrates(
    mtjspice: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "")
    shown = mtjspice("calibrate", "--json")
    result = json.loads(shown.out)
    assert shown.status == 0
    assert "SPICE did not run; these coefficients are by fokker_planck" in shown.err
    assert "apt-get install ngspice" in shown.err
    assert result["engine"] == "fokker_planck"
    for direction, i0 in (("ap_to_p", 60e-6), ("p_to_ap", 140e-6)):
        assert result[direction].keys() >= CALIBRATE_KEYS
        assert result[direction]["i0_a"] == pytest.approx(i0, rel=0.03)
    assert result["provenance"].keys() >= {"mtjspice", "ngspice", "seed", "card_sha256", "netlist_sha256", "elapsed_s"}
    folder = tmp_path / "out" / "mondal2018"
    assert json.loads((folder / "calibration.json").read_text()) == result
    names = {path.name for path in folder.iterdir()}
    assert names >= {"surface_ap_to_p_voltage.npz", "map_p_to_ap_current.csv", "switching_current.png"}
    assert not any(name.endswith(".part") for name in names)
    refused(mtjspice("calibrate", "--engine", "ngspice"), 1, "ngspice is not installed", "brew install ngspice")


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (("--engine", "spice"), ("there is no such engine", "auto, ngspice, macrospin")),
        (("--engine", "measured"), ("--engine measured --data pulses.csv",)),
        (("--engine", "macrospin", "--data", "x.csv"), ("--engine measured --data pulses.csv",)),
        (("--engine", "measured", "--data", "missing.csv"), ("cannot read the measurements", "missing.csv")),
        (("--engine", "closed_form"), ("eq. 5 does not reach down to P = 0.05", "fokker_planck")),
    ],
)
def test_a_calibration_that_cannot_be(mtjspice: Command, options: tuple[str, ...], messages: tuple[str, ...]) -> None:
    refused(mtjspice("calibrate", *options), 2, *messages)


@pytest.mark.parametrize("engine", ["fokker_planck", "macrospin"])
def test_a_folder_that_cannot_be(mtjspice: Command, tmp_path: Path, engine: str) -> None:
    (tmp_path / "file").write_text("")
    outcome = mtjspice("calibrate", "--engine", engine, "--out", tmp_path / "file" / "out")
    refused(outcome, 1, "cannot write out", "Not a directory", "--out")


def test_a_full_disk_keeps_what_was_finished(
    mtjspice: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = ("calibrate", "--engine", "macrospin", "--workers", "1", "--campaign", small_campaign(tmp_path, 32))
    room = iter(range(3))

    def fsync(_: int) -> None:
        if next(room, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fsync)
        outcome = mtjspice(*asked)
    assert outcome.status == 1
    assert "No space left on device" in outcome.err
    assert "finished work is kept" in outcome.err
    refused(mtjspice(*asked), 2, "an unfinished run holds 3 finished batches", "--resume")


def write_pulses(
    path: Path, parameters: MacrospinParameters, widths_s: list[float], levels: dict[Direction, np.ndarray]
) -> None:
    """Write a table of 4000 pulses at each level and width, drawn from Fokker-Planck's probabilities."""
    rng = np.random.default_rng(9)
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["direction", "current_a", "width_s", "trials", "switched"])
        for direction, own in levels.items():
            for width in widths_s:
                # Around P = 0.05 at each width, as a careful user would place them.
                shift = 1.0 if width > 2e-9 else {Direction.AP_TO_P: 1.5, Direction.P_TO_AP: 1.44}[direction]
                p = switching_probabilities(parameters, direction, Drive.CURRENT, list(own * shift), [width])[:, 0]
                for level, q in zip(own * shift, p, strict=True):
                    rows.writerow([direction.value, f"{level:.6e}", width, 4000, rng.binomial(4000, q)])


LEVELS = {Direction.AP_TO_P: np.linspace(56e-6, 68e-6, 5), Direction.P_TO_AP: np.linspace(132e-6, 155e-6, 5)}


@pytest.mark.slow
def test_a_users_own_measurements(mtjspice: Command, tmp_path: Path, mondal_parameters: MacrospinParameters) -> None:
    write_pulses(tmp_path / "pulses.csv", mondal_parameters, [1.5e-9, 2.5e-9], LEVELS)
    shown = mtjspice("calibrate", "--engine", "measured", "--data", "pulses.csv")
    assert shown.status == 0
    assert "95 % interval" in shown.out
    folder = tmp_path / "out" / "mondal2018"
    assert (folder / "thresholds_current.png").exists()
    result = json.loads((folder / "calibration.json").read_text())
    # Fokker-Planck's own coefficients, from which the pulses were drawn; four intervals of 95 %, fixed seed.
    for direction, i0, i1 in (("ap_to_p", 60.42e-6, 30.06e-6), ("p_to_ap", 140.45e-6, 61.74e-6)):
        entry = result[direction]
        assert entry["i0_ci95_a"][0] < i0 < entry["i0_ci95_a"][1]
        assert entry["i1_ci95_a"][0] < i1 < entry["i1_ci95_a"][1]
        assert entry["i0_ci95_a"][1] - entry["i0_ci95_a"][0] < 0.02 * i0


def test_contradictory_measurements(mtjspice: Command, tmp_path: Path, mondal_parameters: MacrospinParameters) -> None:
    asked = ("calibrate", "--engine", "measured", "--data", "pulses.csv")
    path = tmp_path / "pulses.csv"
    path.write_text("direction,current_a,width_s,trials,switched\nap_to_p,60e-6,1.5e-9,100,101\n")
    refused(mtjspice(*asked), 2, "line 2: more switched than trials", "pulses.csv")
    write_pulses(path, mondal_parameters, [2.5e-9], LEVELS)
    refused(mtjspice(*asked), 2, "do not reach the width", "1.5e-09 s itself")
    write_pulses(path, mondal_parameters, [1.5e-9, 2.5e-9], {Direction.AP_TO_P: LEVELS[Direction.AP_TO_P]})
    refused(mtjspice(*asked), 2, "no p_to_ap pulses")
    high = {direction: 1.2 * levels for direction, levels in LEVELS.items()}
    write_pulses(path, mondal_parameters, [1.5e-9, 2.5e-9], high)
    refused(mtjspice(*asked), 2, "do not surround the one where P = 0.05")
    assert not (tmp_path / "out" / "mondal2018" / "calibration.json").exists()


def numbers(folder: Path) -> dict[str, bytes]:
    """Return the content of every result file but the figures, without the provenance."""
    found = {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.suffix in (".csv", ".npz")}
    result = json.loads((folder / "calibration.json").read_text())
    del result["provenance"]
    return found | {"calibration.json": json.dumps(result).encode()}


@pytest.mark.slow
def test_workers_kills_and_damage_change_no_number(
    mtjspice: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What follows the counts is the same everywhere; here it need not be large.
    monkeypatch.setattr(surfaces, "_POINTS", 5)
    monkeypatch.setattr(cli, "draw_calibration", lambda *_: [])
    asked = ("calibrate", "--engine", "macrospin", "--campaign", small_campaign(tmp_path, 1024))
    assert mtjspice(*asked, "--workers", 1, "--out", "one").status == 0
    killed = ("--workers", 2, "--out", tmp_path / "killed")
    checkpoint = tmp_path / "killed" / "checkpoint"
    command = [sys.executable, "-m", "mtjspice.cli", *map(str, (*asked, *killed))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while len(list(checkpoint.glob("*/*.json"))) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    finished = sorted(checkpoint.glob("*/*.json"))
    assert 5 <= len(finished) < 24
    assert not (tmp_path / "killed" / "calibration.json").exists()

    refused(mtjspice(*asked, *killed), 2, "an unfinished run holds", "--resume", "--out")
    finished[0].write_bytes(finished[0].read_bytes()[:100])
    resumed = mtjspice(*asked, *killed, "--resume")
    assert resumed.status == 0
    assert f"{finished[0].stem}.damaged was damaged; its batch was simulated again" in resumed.err
    assert numbers(tmp_path / "killed") == numbers(tmp_path / "one")
    assert not list(checkpoint.glob("*/*"))


def test_a_probability_that_was_stopped_goes_on(
    mtjspice: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = (*PULSE, "--current", "90e-6", "--engine", "macrospin", "--trials", 3000, "--workers", 1, "--out", "p")
    whole = mtjspice(*asked, "--json")
    assert json.loads(whole.out) == json.loads((tmp_path / "p" / "probability.json").read_text())
    done: list[object] = []

    def stopping(task: Task) -> dict[str, Any]:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(task)
        return run_task(task)

    with monkeypatch.context() as patched:
        patched.setattr(monte_carlo, "run_task", stopping)
        refused(mtjspice(*asked), 130, "stopped", "--resume")
    refused(mtjspice(*asked), 2, "an unfinished run holds 2 finished batches")
    assert mtjspice(*asked, "--resume", "--json").out == whole.out
    assert not (tmp_path / "p" / "checkpoint").exists()


@pytest.mark.slow
def test_optimised_widths_are_kept(mtjspice: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(surfaces, "_POINTS", 5)
    monkeypatch.setattr(optimise, "_SHARES", np.array([0.6, 0.78]))
    monkeypatch.setattr(sources, "_EXACT_MAP_POINTS", 5)
    shown = mtjspice("calibrate", "--engine", "fokker_planck", "--optimise-widths", "--json")
    widths = json.loads(shown.out)["widths"]
    kept = json.loads((tmp_path / "out" / "mondal2018" / "widths.json").read_text())
    assert kept.pop("provenance")["seed"] == 1
    assert kept == widths
    assert widths["optimised"]["t0_s"] == pytest.approx(0.78 * 2.5e-9)
    assert widths["optimised"]["ap_to_p"].keys() == {"i0_a", "i1_a", "eta", "relative_rmse"}


def test_widths_are_not_optimised_for_what_fokker_planck_does_not_describe(mtjspice: Command, tmp_path: Path) -> None:
    card = (models_folder() / "mondal2018.toml").read_text().replace("[field]", "[field]\nin_plane_field_t = 0.01")
    (tmp_path / "oblique.toml").write_text(card)
    asked = ("calibrate", "oblique.toml", "--engine", "macrospin", "--optimise-widths")
    refused(mtjspice(*asked), 2, "does not describe this junction", "without axial symmetry")
