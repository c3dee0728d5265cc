"""What all tests share: the shipped card, hypothesis without chance, figures without a screen, ngspice or a skip."""

import os
import shutil
from collections.abc import Iterator

# Before numpy or PyTorch are loaded: two test processes with two threads each on two cores are tenfold slower than with
# one. Commands in processes of their own inherit it.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import pytest
from hypothesis import settings

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard, load_card
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.surrogate.model import ArrayModel, load_model
from mtjspice.surrogate.read_model import ReadModel, read_model
from mtjspice.switching.cell_surface import CellSurface
from mtjspice.switching.cell_surfaces import cell_surface

# The same examples in every run, and no deadline: the first call of a compiled kernel takes seconds.
settings.register_profile("mtjspice", deadline=None, derandomize=True, database=None)
settings.load_profile("mtjspice")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests that run ngspice where there is none."""
    if shutil.which("ngspice"):
        return
    skip = pytest.mark.skip(reason="ngspice is not on PATH; `make setup` says how to get it")
    for item in items:
        if item.get_closest_marker("spice"):
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests compute for cells does not get into the user's cache, nor does what is there get into tests."""
    import matplotlib

    with pytest.MonkeyPatch.context() as patch:
        # Its fonts may stay where they are: to look for them all takes a while.
        patch.setenv("MPLCONFIGDIR", matplotlib.get_cachedir())
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def mondal() -> JunctionCard:
    """The shipped card of the paper's junction."""
    return load_card("mondal2018")


@pytest.fixture(scope="session")
def mondal_parameters(mondal: JunctionCard) -> MacrospinParameters:
    """The paper's junction as a macrospin."""
    return MacrospinParameters.from_card(mondal)


@pytest.fixture(scope="session")
def cell_surfaces(mondal_parameters: MacrospinParameters) -> dict[Direction, CellSurface]:
    """The cell surfaces of the paper's junction, made anew; some seconds."""
    return {direction: cell_surface(mondal_parameters, direction, lambda done, total: None) for direction in Direction}


@pytest.fixture(scope="session")
def model() -> ArrayModel:
    """The paper's junction in 1T1R arrays, as it ships."""
    return load_model(Architecture.ONE_T_ONE_R)


@pytest.fixture(scope="session")
def select1500(mondal: JunctionCard) -> ReadModel:
    """Reads of the paper's junction behind ideal selects of 1.5 kohm, without wires."""
    return read_model(Architecture.ONE_T_ONE_R, mondal, load_array("select1500"))
