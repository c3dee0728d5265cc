import errno
import json
import os
import subprocess
import sys

import pytest
from job_campaign import IDENTITY, draw

from mtjspice.errors import InputError, OutputError
from mtjspice.files import sha256_of
from mtjspice.jobs.batches import Batch, run_batches
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import LocalExecutor

BATCHES = [Batch(str(index), index) for index in range(4)]


@pytest.fixture
def checkpoint(tmp_path):
    with Checkpoint(tmp_path / "out", IDENTITY) as checkpoint:
        yield checkpoint


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "out" / IDENTITY[:16]).iterdir())


def test_floats_come_back_exactly(checkpoint):
    result = {"values": [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0], "text": "µ0", "none": None}
    checkpoint.save("a.b-c_1", result)
    assert json.dumps(checkpoint.finished()) == json.dumps({"a.b-c_1": result})


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_text("[1, 2]"),
        lambda path: path.write_text("{}"),
        lambda path: path.write_text(path.read_text().replace('"index": 1', '"index": 2')),
        lambda path: path.write_bytes(path.with_name("2.json").read_bytes()),
    ],
    ids=["truncated", "empty", "not text", "a list", "no keys", "altered", "another batch's"],
)
def test_a_damaged_file_is_set_aside_once_and_its_batch_runs_again(tmp_path, checkpoint, damage):
    expected = run_batches(draw, BATCHES, executor=LocalExecutor(1), checkpoint=checkpoint)
    damage(tmp_path / "out" / IDENTITY[:16] / "1.json")
    runs = []

    def counted(index):
        runs.append(index)
        return draw(index)

    assert run_batches(counted, BATCHES, executor=LocalExecutor(1), checkpoint=checkpoint) == expected
    assert runs == [1]
    assert [path.name for path in checkpoint.discarded] == ["1.damaged"]
    assert len(checkpoint.finished()) == 4
    assert len(checkpoint.discarded) == 1


def test_results_of_another_identity_are_never_used(tmp_path, checkpoint):
    checkpoint.save("1", {"p": 0.5})
    other = IDENTITY[:16] + sha256_of("another campaign")[16:]
    checkpoint.close()
    with Checkpoint(tmp_path / "out", other) as same_folder:
        assert same_folder.finished() == {}
        assert len(same_folder.discarded) == 1


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS], ids=["full disk", "read-only disk"])
def test_a_disk_that_refuses_keeps_what_was_saved(tmp_path, checkpoint, monkeypatch, fault):
    flush = os.fsync
    left = iter(range(2))

    def refuse_the_third(descriptor):
        if next(left, None) is None:
            raise OSError(fault, os.strerror(fault))
        flush(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse_the_third)
        with pytest.raises(OutputError, match="finished work is kept"):
            run_batches(draw, BATCHES, executor=LocalExecutor(1), checkpoint=checkpoint)
    assert files(tmp_path) == ["0.json", "1.json", "lock"]
    assert list(checkpoint.finished()) == ["0", "1"]
    assert not checkpoint.discarded


def test_leftovers_of_a_killed_write_are_swept(tmp_path, checkpoint):
    (tmp_path / "out" / IDENTITY[:16] / ".3.json.abc.part").write_text('{"key"')
    assert checkpoint.finished() == {}
    assert files(tmp_path) == ["lock"]


def test_remove_leaves_nothing_and_unlocks(tmp_path, checkpoint):
    checkpoint.save("1", {"p": 0.5})
    checkpoint.remove()
    assert not (tmp_path / "out").exists()
    with Checkpoint(tmp_path / "out", IDENTITY) as fresh:
        assert fresh.finished() == {}


def test_an_empty_checkpoint_goes_when_it_is_closed(tmp_path):
    with Checkpoint(tmp_path / "out", IDENTITY):
        pass
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        Checkpoint(tmp_path / "file", IDENTITY)


_OTHER_PROCESS = """
import sys
from pathlib import Path
from mtjspice.errors import InputError
from mtjspice.jobs.checkpoint import Checkpoint
try:
    checkpoint = Checkpoint(Path(sys.argv[1]), sys.argv[2])
except InputError as error:
    print(error)
    sys.exit(2)
print("held", flush=True)
sys.stdin.read()
"""


def test_one_process_at_a_time(tmp_path, checkpoint):
    command = [sys.executable, "-c", _OTHER_PROCESS, str(tmp_path / "out"), IDENTITY]
    with pytest.raises(InputError, match="already running"):
        Checkpoint(tmp_path / "out", IDENTITY)
    refused = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert refused.returncode == 2
    assert "already running" in refused.stdout

    checkpoint.close()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="already running"):
            Checkpoint(tmp_path / "out", IDENTITY)
        holder.kill()
    Checkpoint(tmp_path / "out", IDENTITY).close()  # the lock died with its holder
