"""How kernels are compiled: no fastmath, errors as in numpy, the result kept on disk where that is possible."""

from collections.abc import Callable
from typing import Any

import numba


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return numba's decorator, with its cache on disk where there is a folder to write it to."""

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
        except RuntimeError:  # neither the package's folder nor the user's cache folder can be written
            return numba.njit(nogil=True, error_model="numpy", **options)(function)

    return decorate
