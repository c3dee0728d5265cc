"""How kernels are compiled."""

import numba
import pytest

from mtjspice.junction import compiled


def test_kernels_compile_where_no_folder_takes_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    real = numba.njit

    def njit(*, cache: bool = False, **options: object) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    with monkeypatch.context() as patch:
        patch.setattr(compiled.numba, "njit", njit)
        double = compiled.compiled()(lambda x: 2 * x)
    assert double(3) == 6
