"""Images that are moved: by how much, how often, and by hand for comparison."""

import numpy as np
import pytest
from scipy import stats

from mtjspice.training.ternary.augmentation import FARTHEST, Augmentation, augmented

COUNT, SIDE = 200 * 81, 16
MIDDLE = SIDE // 2


@pytest.fixture(scope="module", params=[Augmentation.SHIFT, Augmentation.SHIFT_FLIP])
def moved(request: pytest.FixtureRequest) -> tuple[Augmentation, np.ndarray]:
    """The way, and COUNT copies of an image in two colours whose pixels all differ within each."""
    places = np.arange(SIDE**2, dtype=np.uint8).reshape(1, SIDE, SIDE)
    images = np.broadcast_to(np.concatenate((places, 255 - places)), (COUNT, 2, SIDE, SIDE))
    return request.param, augmented(images, request.param, np.random.default_rng(1))


def moves(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows down, columns right, and which are mirrored, (n,) each, by the two pixels in the middle."""
    left, right = (images[:, 0, MIDDLE, MIDDLE + n].astype(int) for n in (-1, 0))
    mirrored = left > right
    return right // SIDE - MIDDLE, np.minimum(left, right) % SIDE - MIDDLE + 1, mirrored


def test_each_is_the_original_moved_by_hand(moved: tuple[Augmentation, np.ndarray]) -> None:
    _, images = moved
    assert images.dtype == np.uint8
    for image, down, right, mirrored in zip(images[:500], *moves(images[:500]), strict=True):
        places = range(SIDE)
        rows, columns = ([min(max(n + by, 0), SIDE - 1) for n in places] for by in (down, right))
        expected = np.array([[SIDE * row + column for column in columns] for row in rows])
        expected = expected[:, ::-1] if mirrored else expected
        np.testing.assert_array_equal(image, [expected, 255 - expected])


def test_all_moves_are_equally_likely(moved: tuple[Augmentation, np.ndarray]) -> None:
    """Chi-square over 81 moves, 200 expected of each; a right one fails with probability 0.001."""
    down, right, _ = moves(moved[1])
    assert np.abs([down, right]).max() == FARTHEST
    counts = np.bincount((down + FARTHEST) * 9 + right + FARTHEST, minlength=81)
    assert stats.chisquare(counts).pvalue > 0.001


def test_half_are_mirrored_where_they_may_be(moved: tuple[Augmentation, np.ndarray]) -> None:
    how, images = moved
    mirrored = moves(images)[2].mean()
    if how is Augmentation.SHIFT:
        assert mirrored == 0
    else:
        assert mirrored == pytest.approx(0.5, abs=3 * 0.5 / COUNT**0.5)


def test_none_leaves_images_as_they_are() -> None:
    images = np.random.default_rng(2).integers(0, 256, (5, 3, 8, 8), np.uint8)
    np.testing.assert_array_equal(augmented(images, Augmentation.NONE, np.random.default_rng(3)), images)


def test_images_smaller_than_a_move_repeat_their_edges() -> None:
    images = np.array([[[[7, 9]]]] * 200, np.uint8)
    found = augmented(images, Augmentation.SHIFT, np.random.default_rng(4))
    assert {tuple(image.ravel().tolist()) for image in found} == {(7, 7), (7, 9), (9, 9)}
