"""Networks on many dies: what is done on each, and how far the loss rises around a solution."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from die_problems import SIZES, blobs, dies, trained

from mtjspice.errors import InputError
from mtjspice.surrogate.die_weights import wired_weights
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.dies.chip import Sensing
from mtjspice.training.dies.deployment import Deployment, errors_on_dies, software_error
from mtjspice.training.dies.evaluation import Evaluation
from mtjspice.training.dies.parts import parts_of
from mtjspice.training.dies.sensitivity import flipped, losses_around, noisy, shorted

DATA = blobs()
NETWORK = trained(DATA)


def test_nominal_dies_err_as_software_does(select1500: ReadModel) -> None:
    nominal = [replace(die, arrays=tuple(_nominal(select1500, die))) for die in dies(select1500, 0.0, 2)]
    errors = errors_on_dies(NETWORK, parts_of(select1500, nominal, SIZES, 1), DATA, Deployment(), 1)
    assert errors == pytest.approx(software_error(NETWORK, DATA), abs=1e-12)


def _nominal(model: ReadModel, die):  # type: ignore[no-untyped-def]
    for cells in die.arrays:
        yield type(cells).nominal(model.parameters, cells.state, cells.r_short_ohm)


@pytest.mark.parametrize("deployment", [Deployment(), Deployment(remap=True, calibration_images=100)])
def test_wires_without_resistance_change_nothing(select1500: ReadModel, deployment: Deployment) -> None:
    """Both ways to the weights a read sees share no code: a W + b, and the solution of the whole array."""
    known = parts_of(select1500, drawn := dies(select1500, 0.05, 4), SIZES, 1)
    wired = [replace(one, wired=partial(wired_weights, select1500, die)) for one, die in zip(known, drawn, strict=True)]
    direct, solved = (errors_on_dies(NETWORK, which, DATA, deployment, 1) for which in (known, wired))
    # A sum at the border between two classes may round to either side: one image of 400.
    assert np.abs(direct - solved).max() <= 1 / 400 + 1e-12


def test_software_is_set_up_as_dies_are(select1500: ReadModel) -> None:
    """Columns that fit no die before they are calibrated do not make software look bad, and dies good beside it."""
    deployment, known = Deployment(calibration_images=400), parts_of(select1500, dies(select1500, 0.0, 1), SIZES, 1)
    wide = [columns._replace(mean=columns.mean + 3 * columns.deviation) for columns in NETWORK.columns]
    unset = NETWORK.with_columns(wide[0], wide[1])
    assert software_error(unset, DATA) > 0.3
    assert software_error(unset, DATA, deployment) == software_error(NETWORK, DATA, deployment) < 0.1
    assert errors_on_dies(unset, known, DATA, deployment, 1) == errors_on_dies(NETWORK, known, DATA, deployment, 1)


@pytest.mark.parametrize(
    ("deployment", "use"),
    [
        (Deployment(calibration_images=1), "calibrate"),
        (Deployment(calibration_images=801), "calibrate"),
        (Deployment(trim_images=801), "trim"),
        (Deployment(calibration_images=400, fine_tune_images=801), "fine-tune"),
    ],
)
def test_no_more_images_than_there_are(deployment: Deployment, use: str) -> None:
    with pytest.raises(InputError, match=f"the number of images to {use} with is out of range") as caught:
        errors_on_dies(NETWORK, [], DATA, deployment, 1)
    assert "2 to 800" in str(caught.value)


def test_what_is_done_on_dies_helps(select1500: ReadModel) -> None:
    known = parts_of(select1500, dies(select1500, 0.05, 20), SIZES, 1)
    errors = [
        errors_on_dies(NETWORK, known, DATA, deployment, 1).mean()
        for deployment in (Deployment(), Deployment(calibration_images=400), Deployment(True, 400))
    ]
    assert errors[0] > errors[1] > errors[2]


def test_reads_with_noise_are_the_same_for_the_same_seed(select1500: ReadModel) -> None:
    known, noisy_reads = (
        parts_of(select1500, dies(select1500, 0.0, 3), SIZES, 1),
        Deployment(sensing=Sensing(noise=1.0)),
    )
    first, again, other = (errors_on_dies(NETWORK, known, DATA, noisy_reads, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert first.mean() > errors_on_dies(NETWORK, known, DATA, Deployment(), 1).mean()


def test_a_deployment_says_what_it_needs() -> None:
    assert Deployment().needs == "nothing"
    assert Deployment(True, 64, 32).needs == "map of defects, 64 images, 32 labelled images"


def test_the_loss_rises_around_a_solution() -> None:
    def loss(disturb, strength: float) -> float:  # type: ignore[no-untyped-def]
        found = losses_around(NETWORK, disturb, strength, DATA.x_test, DATA.y_test, samples=20, root_seed=1)
        return float(found.mean())

    still = loss(flipped, 0.0)
    assert still == loss(noisy, 0.0) == loss(shorted(4.9), 0.0)
    assert still < loss(flipped, 0.02) < loss(flipped, 0.1)
    assert still < loss(noisy, 0.2) < loss(noisy, 0.8)
    # A short is worth more than a flip: 4.9 weights against 2.
    assert loss(flipped, 0.05) < loss(shorted(4.9), 0.05)


def test_disturbances_are_of_the_strength_they_say() -> None:
    """20,000 weights: 4 sigma of a share of 0.1 are 0.0085, of a deviation of 0.3 0.006."""
    weights, rng = np.ones((100, 200), np.float32), np.random.default_rng(3)
    assert (flipped(weights, 0.1, rng) < 0).mean() == pytest.approx(0.1, abs=0.0085)
    assert noisy(weights, 0.3, rng).std() == pytest.approx(0.3, abs=0.006)
    shorts = shorted(5.0)(weights, 0.1, rng)
    assert set(np.unique(shorts)) == {-4.5, 1.0, 5.5}
    assert (shorts != 1).mean() == pytest.approx(0.1, abs=0.0085)


def test_an_error_two_points_above_software_is_near() -> None:
    """0.0341 + 0.02 is below 0.0541 in floating point."""
    errors = np.array([[0.0541, 0.0542, 0.03], [0.06, 0.07, 0.08]])
    found = Evaluation(("a", "b", "c"), np.zeros(3), np.array([0.0341, 0.04]), errors, Deployment(), {}, 0.0)
    assert list(found.near) == [2, 1]
    assert found.to_json()["dies_near_software"] == 1.5
