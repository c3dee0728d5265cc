"""Random numbers that depend on what they are for, never on the number of workers or their order."""

import numpy as np

from mtjspice.errors import InputError


def generator(root_seed: int, key: tuple[int, ...]) -> np.random.Generator:
    """Return the PCG64 generator of one use, such as (campaign point, batch), of a run's `root_seed`.

    The same seed and key give the same numbers in any process and any order; different keys give independent streams.

    Raises:
        InputError: `root_seed` is outside 0 ... 2**128 - 1.
        ValueError: a part of `key` is outside 0 ... 2**32 - 1.
    """
    if not 0 <= root_seed < 2**128:
        raise InputError("the seed is out of range", given=root_seed, allowed="a whole number from 0 to 2**128 - 1")
    # SeedSequence cuts larger parts into 32-bit words, so that (2**32,) and (0, 1) would share one stream.
    if not all(0 <= part < 2**32 for part in key):
        raise ValueError(f"key {key} has a part outside 0 ... 2**32 - 1")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(root_seed, spawn_key=key)))
