"""CPU time of a function."""

import time
from collections.abc import Callable


def best_of(function: Callable[[], object], repeats: int = 5) -> float:
    """Return the shortest of a few CPU times, s, after a call that is not timed: compiled, with filled caches."""
    function()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)
