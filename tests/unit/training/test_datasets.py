"""Data sets by name and by path, and every way in which they can be wrong."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from mtjspice.errors import DataError, InputError
from mtjspice.jobs.seeds import generator
from mtjspice.training import datasets
from mtjspice.training.datasets import DATASETS, Dataset, load_dataset


def rows(x: np.ndarray, y: np.ndarray) -> list[tuple[float, ...]]:
    """Return the samples as sorted tuples, label first."""
    return sorted((label, *features) for label, features in zip(y.tolist(), x.tolist(), strict=True))


def all_rows(dataset: Dataset) -> list[tuple[float, ...]]:
    return sorted(rows(dataset.x_train, dataset.y_train) + rows(dataset.x_test, dataset.y_test))


# The paper's data sets.


def test_wbcd_has_the_papers_test_part_and_the_published_class_counts() -> None:
    dataset = load_dataset("wbcd")
    assert dataset.x_train.shape == (369, 30)
    assert dataset.x_test.shape == (200, 30)
    assert (dataset.x_train.dtype, dataset.y_train.dtype) == (np.float32, np.int64)
    assert dataset.classes == ("benign", "malignant")
    assert np.bincount(np.concatenate((dataset.y_train, dataset.y_test))).tolist() == [357, 212]
    # Malignant cells are the larger ones.
    assert dataset.x_train[dataset.y_train == 1, 0].mean() > 1.3 * dataset.x_train[dataset.y_train == 0, 0].mean()


def test_a_seed_gives_one_random_split_and_another_seed_another_of_the_same_samples() -> None:
    first, again, other = (load_dataset("wbcd", "random", seed) for seed in (1, 1, 2))
    assert first.sha256 == again.sha256 != other.sha256
    assert all_rows(first) == all_rows(other)


def test_sonar_is_split_as_marked(no_download: None) -> None:
    dataset = load_dataset("sonar")
    assert dataset.x_train.shape == dataset.x_test.shape == (104, 60)
    assert dataset.classes == ("rock", "mine")
    assert np.bincount(dataset.y_train).tolist() == [55, 49]
    assert np.bincount(dataset.y_test).tolist() == [42, 62]
    assert load_dataset("sonar", "aspect", seed=7).sha256 == dataset.sha256


def test_sonar_halves_at_random_are_the_samples_of_the_plain_table(no_download: None) -> None:
    dataset = load_dataset("sonar", "random", seed=3)
    assert len(dataset.y_train) == len(dataset.y_test) == 104
    assert all_rows(dataset) == all_rows(load_dataset("sonar"))
    table = Path(os.environ.get("MTJSPICE_DATA", "")) / "sonar" / "sonar.all-data"
    if not table.is_file():
        pytest.skip("sonar.all-data is not in $MTJSPICE_DATA")
    lines = [line.split(",") for line in table.read_text().split()]
    x = np.array([line[:-1] for line in lines], dtype=np.float32)
    assert all_rows(dataset) == rows(x, np.array([int(line[-1] == "M") for line in lines]))


def test_sonar_samples_are_read_from_several_lines(tmp_path: Path) -> None:
    paths = [tmp_path / "rocks", tmp_path / "mines"]
    for kind, path in zip("RM", paths, strict=True):
        samples = [f"{'*' * (n % 2)}C{kind}{n:03}:\n{{0.{n}000 0.5000\n 0.2500}}\n" for n in range(4)]
        path.write_text(f"Marked with a '*'.\n\n{''.join(samples)}")
    x, y, train = datasets._sonar_samples(*paths)
    np.testing.assert_array_equal(x, np.float32([(n / 10, 0.5, 0.25) for n in range(4)] * 2))
    assert y.tolist() == [0] * 4 + [1] * 4
    assert train.tolist() == [False, True] * 4


def test_mnist_has_the_published_counts_and_mean(no_download: None) -> None:
    dataset = load_dataset("mnist")
    assert dataset.x_train.shape == (60000, 784)
    assert dataset.x_test.shape == (10000, 784)
    assert dataset.x_train.dtype == np.uint8
    assert dataset.classes == tuple("0123456789")
    assert np.bincount(dataset.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(dataset.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert dataset.x_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)


# Names, splits and seeds.


@pytest.mark.parametrize("given", ["iris", "absent.csv"])
def test_an_unknown_name_or_path_lists_the_known_ones(given: str) -> None:
    with pytest.raises(InputError, match="there is no such data set") as error:
        load_dataset(given)
    assert given in str(error.value)
    assert all(name in str(error.value) for name in (*DATASETS, ".csv", ".npz"))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "samples.xlsx").touch()
    with pytest.raises(InputError, match="cannot be read"):
        load_dataset(tmp_path / "samples.xlsx")


@pytest.mark.parametrize(
    ("name", "split"),
    [("wbcd", "aspect"), ("sonar", "official"), ("mnist", "random"), ("cifar10", "random"), ("svhn", "random")],
)
def test_a_split_that_a_data_set_lacks_is_refused(name: str, split: str) -> None:
    with pytest.raises(InputError, match="no such split") as error:
        load_dataset(name, split)
    assert split in str(error.value)


def test_a_seed_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match="the seed is out of range"):
        load_dataset("wbcd", seed=-1)


# A user's CSV.

HEADER = "length,width,kind\n"
SAMPLES = "".join(f"{n},{n / 2:g},{'cat' if n % 2 else 'ant'}\n" for n in range(12))


def csv_file(folder: Path, text: str) -> Path:
    path = folder / "own.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["", HEADER, "\ufeff" + HEADER, "\n"])
def test_csv_with_and_without_a_header(tmp_path: Path, header: str) -> None:
    dataset = load_dataset(csv_file(tmp_path, header + SAMPLES))
    assert dataset.name == "own"
    assert dataset.classes == ("ant", "cat")
    assert dataset.x_train.dtype == np.float32
    assert len(dataset.y_test) == 3
    assert all_rows(dataset) == sorted((n % 2, float(n), n / 2) for n in range(12))


def test_classes_that_are_numbers_keep_the_order_of_numbers(tmp_path: Path) -> None:
    lines = (f"{n},{n}, {(-1, 2, 10)[n % 3]}\n" for n in range(40))
    dataset = load_dataset(str(csv_file(tmp_path, "".join(lines))))
    assert dataset.classes == ("-1", "2", "10")
    assert (dataset.y_train == dataset.x_train[:, 0] % 3).all()


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["there are no samples"]),
        (HEADER, ["there are no samples"]),
        (HEADER + SAMPLES + "1,2\n", ["wrong number of fields", "line 14", "2 fields", "3 fields"]),
        ("1\n2\n", ["wrong number of fields", "line 1"]),
        (HEADER + "1,2,\n", ["lacks its label", "line 2"]),
        (HEADER + "1,nan,ant\n", ["no finite number", "line 2, field 2", "nan"]),
        (HEADER + "1,,ant\n", ["no finite number", "line 2, field 2", "nothing"]),
        ("1,wide,ant\n", ["no finite number", "line 1, field 2", "wide"]),
        (SAMPLES + "1,1e99,ant\n", ["no finite number", "sample 12, feature 1"]),
        ("1,2,0\n1,3,0.5\n", ["neither whole numbers nor names", "0.5"]),
        ("1,2,0\n1,3,nan\n", ["neither whole numbers nor names", "nan"]),
        ("1,2,0\n3,4,0\n5,6,0\n", ["one class only"]),
        ("1,2,0\n", ["training part", "shape (0, 2)"]),
        (SAMPLES + '1,2,"' + 200_000 * "x", ["cannot read the samples", "field"]),
    ],
)
def test_each_fault_of_a_csv_has_a_message(tmp_path: Path, text: str, messages: list[str]) -> None:
    with pytest.raises(DataError) as error:
        load_dataset(csv_file(tmp_path, text))
    assert all(message in str(error.value) for message in [*messages, "own"])


def test_a_csv_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes(b"\xff\xfe\xfd,1\n")
    with pytest.raises(DataError, match="cannot read the samples"):
        load_dataset(tmp_path / "own.csv")


# A user's npz.

X = np.arange(48).reshape(12, 2, 2)
Y = np.arange(12) % 2


def npz_file(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "own.npz", **arrays)
    return folder / "own.npz"


def test_npz_split_at_random(tmp_path: Path) -> None:
    dataset = load_dataset(npz_file(tmp_path, x=X, y=Y), seed=5)
    assert dataset.x_train.shape == (9, 4)
    assert dataset.x_train.dtype == np.float32
    assert all_rows(dataset) == rows(X.reshape(12, 4), Y)
    assert dataset.sha256 != load_dataset(tmp_path / "own.npz", seed=6).sha256


def test_npz_with_parts_keeps_images_in_bytes(tmp_path: Path) -> None:
    images = X.astype(np.uint8)
    path = npz_file(tmp_path, x_train=images[:9], y_train=Y[:9], x_test=images[9:], y_test=Y[9:])
    dataset = load_dataset(path, "official")
    assert dataset.x_train.dtype == np.uint8
    assert (dataset.x_train == images[:9].reshape(9, 4)).all()
    assert (dataset.y_test == Y[9:]).all()
    assert dataset.classes == ("0", "1")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    ("shape", "channels_last"),
    [((8, 4, 5, 3), True), ((8, 3, 4, 5), False), ((8, 3, 4, 3), False), ((8, 4, 5), False)],
)
def test_images_of_an_npz_end_channels_first(
    tmp_path: Path, shape: tuple[int, ...], channels_last: bool, dtype: type
) -> None:
    images = np.random.default_rng(1).integers(0, 256, shape).astype(dtype)
    labels = np.arange(8) % 2
    path = npz_file(tmp_path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    dataset = load_dataset(path)
    assert dataset.x_train.dtype == dtype
    expected = np.stack([images[..., channel] for channel in range(3)], axis=1) if channels_last else images
    np.testing.assert_array_equal(dataset.x_train, expected.reshape(8, -1))
    np.testing.assert_array_equal(dataset.x_test, dataset.x_train)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "the npz file lacks arrays"),
        ({"x": X, "y": Y[:5]}, "do not belong together"),
        ({"x": X, "y": np.eye(12)}, "do not belong together"),
        ({"x": X[:0], "y": Y[:0]}, "do not belong together"),
        ({"x": np.arange(12), "y": Y}, "features are not numbers in rows"),
        ({"x": X.astype(str), "y": Y}, "features are not numbers in rows"),
        ({"x": np.where(X == 21, np.nan, X), "y": Y}, "sample 5, feature 1, counted from 0"),
        ({"x": X, "y": Y + 0.5}, "neither whole numbers nor names"),
        ({"x": X, "y": Y + 1j}, "neither whole numbers nor names"),
        ({"x": X, "y": Y.astype(object)}, "cannot read the samples"),
        ({"x_train": X, "y_train": Y, "x_test": X[:, :1], "y_test": Y}, "differ in the number of features"),
        ({"x_train": X.astype(np.uint8), "y_train": Y, "x_test": X.astype(float), "y_test": Y}, "differ in type"),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 1}, "classes have no training sample"),
    ],
)
def test_each_fault_of_an_npz_has_a_message(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(npz_file(tmp_path, **arrays))


def test_a_truncated_npz_is_refused(tmp_path: Path) -> None:
    path = npz_file(tmp_path, x=X, y=Y)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="cannot read the samples"):
        load_dataset(path)


# A user's idx files.


def idx(array: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + b"".join(length.to_bytes(4, "big") for length in array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def idx_folder(tmp_path: Path) -> Path:
    for file, array in zip(datasets._IDX_FILES, (X[:9], Y[:9], X[9:], Y[9:]), strict=True):
        (tmp_path / file).write_bytes(gzip.compress(idx(array)))
    return tmp_path


def test_a_folder_of_idx_files(idx_folder: Path) -> None:
    dataset = load_dataset(idx_folder)
    assert dataset.name == idx_folder.name
    assert (dataset.x_train == X[:9].reshape(9, 4)).all()
    assert (dataset.y_test == Y[9:]).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "missing, truncated or not gzip"),
        (idx(X[:9]), "missing, truncated or not gzip"),
        (gzip.compress(idx(X[:9]))[:-12], "missing, truncated or not gzip"),
        (gzip.compress(idx(Y[:9])), "its first four bytes are wrong"),
        (gzip.compress(b""), "an empty file"),
        (gzip.compress(idx(X[:9])[:7]), "not as long as its header says"),
        (gzip.compress(idx(X[:9])[:-1]), "not as long as its header says"),
        (gzip.compress(idx(X[:8])), "do not belong together"),
    ],
    ids=["missing", "plain", "truncated", "labels", "empty", "no_header", "short", "one_less"],
)
def test_each_fault_of_an_idx_file_has_a_message(idx_folder: Path, content: bytes | None, message: str) -> None:
    path = idx_folder / datasets._IDX_FILES[0]
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        load_dataset(idx_folder)
    assert str(idx_folder) in str(error.value)


# The type itself.


def small(**changes: object) -> Dataset:
    x = np.arange(24, dtype=np.float32).reshape(12, 2)
    y = np.arange(12) % 3
    parts = {"x_train": x[:9], "y_train": y[:9], "x_test": x[9:], "y_test": y[9:]}
    return Dataset(**{"name": "small", **parts, "classes": ("a", "b", "c"), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": np.array([0, 1, 3])}, "labels are out of range"),
        ({"y_test": np.array([0, 1, -1])}, "labels are out of range"),
        ({"y_train": np.arange(9) % 3 / 2}, "labels are out of range"),
        ({"classes": ("a", "b", "c", "d", "e")}, "given:   d, e"),
        ({"x_train": np.full((9, 2), np.inf, dtype=np.float32)}, "training part of small, sample 0, feature 0"),
        ({"x_test": np.zeros((3, 3), dtype=np.float32)}, "differ in the number of features"),
    ],
)
def test_each_fault_of_a_data_set_has_a_message(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        small(**changes)


def test_the_checksum_is_of_the_content() -> None:
    assert small().sha256 == small(name="other").sha256
    others = [small(classes=("a", "b", "d")), small(y_test=np.array([0, 1, 1])), small(x_test=small().x_test + 1)]
    assert len({small().sha256, *(other.sha256 for other in others)}) == 4


def test_a_validation_part_comes_from_the_training_part_only() -> None:
    dataset = small()
    chosen = dataset.with_validation(3, generator(1, (0,)))
    assert chosen.name == "small-validation"
    assert len(chosen.y_test) == 3
    assert all_rows(chosen) == rows(dataset.x_train, dataset.y_train)
    assert chosen.sha256 == dataset.with_validation(3, generator(1, (0,))).sha256


@pytest.mark.parametrize("count", [0, 9])
def test_a_validation_part_leaves_something_to_train_on(count: int) -> None:
    with pytest.raises(InputError, match="does not fit into the training part"):
        small().with_validation(count, generator(1, (0,)))
