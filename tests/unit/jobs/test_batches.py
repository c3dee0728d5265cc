import json
import time

import pytest
from job_campaign import IDENTITY, draw, fail_at_three

from mtjspice.errors import InputError, SimulationError
from mtjspice.jobs.batches import Batch, run_batches
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import LocalExecutor, default_workers

BATCHES = [Batch(f"point-{index}", index) for index in range(6)]


def test_results_are_the_same_bytes_for_any_number_of_workers_and_from_the_checkpoint(tmp_path):
    plain = json.dumps(run_batches(draw, BATCHES, executor=LocalExecutor(1)))
    assert list(json.loads(plain)) == [batch.key for batch in BATCHES]
    for workers in (2, 4):
        with Checkpoint(tmp_path, IDENTITY) as checkpoint:
            executor = LocalExecutor(workers)
            assert json.dumps(run_batches(draw, BATCHES, executor=executor, checkpoint=checkpoint)) == plain
            assert json.dumps(run_batches(None, BATCHES, executor=executor, checkpoint=checkpoint)) == plain
            checkpoint.remove()


def test_order_of_the_batches_does_not_matter():
    forward = run_batches(draw, BATCHES, executor=LocalExecutor(1))
    backward = run_batches(draw, BATCHES[::-1], executor=LocalExecutor(1))
    assert forward == backward
    assert list(backward) == list(forward)[::-1]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("simulation", SimulationError, "did not converge"),
        ("bug", ZeroDivisionError, "a bug"),
        ("unpicklable", Exception, "known here only"),
    ],
)
def test_a_failing_batch_raises_its_own_error_and_keeps_the_finished_ones(tmp_path, workers, kind, error, text):
    batches = [Batch(f"b{index}", (index, kind)) for index in range(5)]
    with Checkpoint(tmp_path, IDENTITY) as checkpoint:
        with pytest.raises(error, match=text) as caught:
            run_batches(fail_at_three, batches, executor=LocalExecutor(workers), checkpoint=checkpoint)
        if kind == "bug" and workers == 2:  # the place of the fault is not lost on the way
            assert "fail_at_three" in "".join(caught.value.__notes__)
        kept = set(checkpoint.finished())
    assert len(kept & {"b0", "b1", "b2"}) >= 4 - workers  # each other worker may hold one
    assert "b3" not in kept


def test_a_dead_worker_is_named_with_its_batch(tmp_path):
    batches = [Batch(f"b{index}", (index, "kill")) for index in range(5)]
    with Checkpoint(tmp_path, IDENTITY) as checkpoint:
        with pytest.raises(SimulationError, match=r"(?s)SIGKILL.*batch b3.*--resume"):
            run_batches(fail_at_three, batches, executor=LocalExecutor(2), checkpoint=checkpoint)
        assert len(set(checkpoint.finished()) & {"b0", "b1", "b2"}) >= 2  # the other worker may hold the third


def test_a_worker_that_cannot_start_is_reported():
    # Exits as a worker does whose interpreter or program cannot be loaded.
    with pytest.raises(SimulationError, match=r"(?s)worker process died.*batch point-0"):
        run_batches(_exit, BATCHES[:1], executor=LocalExecutor(2))


def _exit(_task):
    raise SystemExit(3)


def test_many_large_results_come_through():
    # Larger than a pipe's buffer, so that parent and workers would block each other if one waited for the other.
    batches = [Batch(str(index), "x" * 300_000) for index in range(8)]
    results = run_batches(_echo, batches, executor=LocalExecutor(2))
    assert all(len(result["text"]) == 300_000 for result in results.values())


def _echo(task):
    return {"text": task}


def test_progress_counts_up_from_what_was_resumed(tmp_path):
    calls = []
    with Checkpoint(tmp_path, IDENTITY) as checkpoint:
        checkpoint.save("point-1", draw(1))
        run_batches(
            draw,
            BATCHES,
            executor=LocalExecutor(1),
            checkpoint=checkpoint,
            on_progress=lambda done, total: calls.append((done, total)),
        )
    assert calls == [(done, 6) for done in range(1, 7)]


def test_keys_are_checked():
    with pytest.raises(ValueError, match="share a key"):
        run_batches(draw, [Batch("a", 1), Batch("A", 2)], executor=LocalExecutor(1))
    for key in ("", "a/b", "a\n", "ä", "x" * 201):
        with pytest.raises(ValueError, match="batch key"):
            Batch(key, None)


def test_results_that_are_not_finite_plain_data_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        run_batches(lambda _: {"p": float("nan")}, BATCHES, executor=LocalExecutor(1))


def test_no_batches():
    assert run_batches(draw, [], executor=LocalExecutor(4)) == {}


def test_workers_are_checked():
    assert default_workers() >= 1
    with pytest.raises(InputError, match="workers"):
        LocalExecutor(0)


def test_a_busy_worker_is_stopped_soon():
    start_s = time.monotonic()
    executor = LocalExecutor(2).map_unordered(time.sleep, [Batch("short", 0), Batch("long", 60)])
    assert next(executor)[0].key == "short"
    executor.close()
    assert time.monotonic() - start_s < 20  # the long batch was not waited for
