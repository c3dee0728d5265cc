"""A campaign that is killed or interrupted goes on where it stopped; nothing it started lives on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import job_campaign
import pytest

BATCH_FILES = f"checkpoint/{job_campaign.IDENTITY[:16]}/*.json"


def start(folder, seconds):
    command = [sys.executable, job_campaign.__file__, str(folder), "2", str(seconds)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_until(condition, limit_s=30.0):
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.02)


def saved(folder):
    return {int(path.stem.removeprefix("point-")) for path in folder.glob(BATCH_FILES)}


def runs(folder):
    return [tuple(map(int, line.split())) for line in (folder / "runs").read_text().splitlines()]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")  # an orphan that nobody reaps has ended all the same
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def assert_nothing_lives_on(folder):
    workers = {pid for _, pid in runs(folder)}
    simulators = {int(path.read_text() or 0) for path in folder.glob("*.child")}
    assert len(workers) == 2
    wait_until(lambda: not any(map(is_alive, workers | simulators)), limit_s=10.0)


def assert_resumes(folder, kept):
    resumed = start(folder, 0.0)
    _, stderr = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, stderr
    expected = {f"point-{index}": job_campaign.draw(index) for index in range(12)}
    assert (folder / "results.json").read_text() == json.dumps(expected, indent=2) + "\n"
    times_run = Counter(index for index, _ in runs(folder))
    assert sorted(times_run) == list(range(12))
    assert {index for index in kept if times_run[index] > 1} == set()
    assert not (folder / "checkpoint").exists()


@pytest.mark.slow
def test_kill_and_resume(tmp_path):
    campaign = start(tmp_path, 0.4)
    wait_until(lambda: len(saved(tmp_path)) >= 4)
    campaign.kill()
    campaign.communicate(timeout=10)
    kept = saved(tmp_path)
    assert 4 <= len(kept) < 12
    assert_nothing_lives_on(tmp_path)
    assert_resumes(tmp_path, kept)


@pytest.mark.slow
def test_ctrl_c_and_resume(tmp_path):
    campaign = start(tmp_path, 0.4)
    wait_until(lambda: len(saved(tmp_path)) >= 4)
    os.killpg(campaign.pid, signal.SIGINT)  # a terminal sends it to the whole group
    _, stderr = campaign.communicate(timeout=20)
    assert campaign.returncode == 130
    assert stderr == ""
    kept = saved(tmp_path)
    assert 4 <= len(kept) < 12
    assert not list((tmp_path / "checkpoint").rglob("*.part"))
    assert_nothing_lives_on(tmp_path)
    assert_resumes(tmp_path, kept)


@pytest.mark.slow
@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.2])
def test_ctrl_c_while_workers_start(tmp_path, delay_s):
    campaign = start(tmp_path, 0.4)
    wait_until(lambda: list(tmp_path.rglob("lock")))
    time.sleep(delay_s)
    os.killpg(campaign.pid, signal.SIGINT)
    _, stderr = campaign.communicate(timeout=20)
    assert campaign.returncode == 130
    assert stderr == ""
