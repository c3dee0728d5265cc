"""`calibrate` by SPICE, small: agreement with Fokker-Planck, and bytes that neither workers nor a kill change."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

CAMPAIGN = """
schema = 1
name = "small"
description = "A few pulses at the widths of the paper"
time_step_s = 4e-12
batch_size = 32

[targets]
t0_s = 1.5e-9
t1_s = 1.0e-9
p0 = 0.05

[boundaries]
probabilities = [0.02, 0.06, 0.16]
trials_per_level = 128

[map]
levels = 2
widths = 3
trials_per_level = 32
"""

pytestmark = [pytest.mark.spice, pytest.mark.slow]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The folders of one small campaign: 1 worker in one go, 2 workers killed half-way and resumed."""
    folder = tmp_path_factory.mktemp("calibrate")
    (folder / "small.toml").write_text(CAMPAIGN, encoding="utf-8")

    def command(workers: int) -> list[str]:
        options = {"campaign": folder / "small.toml", "out": folder / str(workers), "workers": workers, "seed": 3}
        asked = [sys.executable, "-m", "mtjspice.cli", "calibrate", "mondal2018", "--engine", "ngspice"]
        return asked + [str(part) for name, value in options.items() for part in (f"--{name}", value)]

    subprocess.run(command(1), check=True, capture_output=True, timeout=400)
    with subprocess.Popen(command(2), stderr=subprocess.DEVNULL) as stopped:
        deadline = time.monotonic() + 200
        while len(list((folder / "2").glob("checkpoint/*/*.json"))) < 10:
            assert stopped.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        stopped.kill()
    subprocess.run([*command(2), "--resume"], check=True, capture_output=True, timeout=400)
    return {workers: folder / str(workers) for workers in (1, 2)}


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "calibration.json").read_text())
    return found


def test_every_trial_was_simulated_by_spice(runs: dict[int, Path]) -> None:
    assert result(runs[1])["engine"] == "ngspice"
    assert result(runs[1])["not_simulated"] == []


def test_thresholds_agree_with_fokker_planck(runs: dict[int, Path]) -> None:
    # Eight independent z-scores: all within 3.3 sigma in 992 of 1000 seeds.
    for direction in ("ap_to_p", "p_to_ap"):
        entry = result(runs[1])[direction]
        for fit in (entry, entry["voltage_drive"]):
            assert all(abs(z) < 3.3 for z in fit["fokker_planck"]["z_scores"])


def test_workers_and_a_kill_change_no_byte(runs: dict[int, Path]) -> None:
    one, two = (result(folder) for folder in runs.values())
    assert one.pop("provenance")["seed"] == two.pop("provenance")["seed"] == 3
    assert one == two
    for path in sorted(runs[1].glob("*.csv")) + sorted(runs[1].glob("*.npz")):
        assert path.read_bytes() == (runs[2] / path.name).read_bytes(), path.name
