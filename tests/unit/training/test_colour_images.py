"""CIFAR-10 and SVHN: where they are found, how their pixels lie, and every way in which they can be wrong.

Small ones of the same form stand for the real ones, but in one test.
"""

import hashlib
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pooch
import pytest
from scipy.io import savemat

from mtjspice.errors import DataError
from mtjspice.training import colour_images
from mtjspice.training.datasets import load_dataset

BATCH = 4
ARCHIVE = "cifar-10-binary.tar.gz"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that $MTJSPICE_DATA names; it and the cache are empty."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("MTJSPICE_DATA", str(folder))
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    return folder


# CIFAR-10.


@pytest.mark.slow
def test_cifar10_has_the_published_counts_and_mean(no_download: None) -> None:
    dataset = load_dataset("cifar10")
    assert dataset.x_train.shape == (50000, 3072)
    assert dataset.x_test.shape == (10000, 3072)
    assert dataset.x_train.dtype == np.uint8
    assert dataset.classes[0] == "airplane"
    assert dataset.classes[9] == "truck"
    assert np.bincount(dataset.y_train).tolist() == [5000] * 10
    assert np.bincount(dataset.y_test).tolist() == [1000] * 10
    means = [dataset.x_train[:, channel * 1024 : (channel + 1) * 1024].mean() / 255 for channel in range(3)]
    assert means == pytest.approx([0.4914, 0.4822, 0.4465], abs=5e-5)


class Cifar:
    """Six batches of four images, 32 x 32 x RGB."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.images = {name: rng.integers(0, 256, (BATCH, 32, 32, 3), np.uint8) for name in colour_images._BATCHES}
        self.labels = {name: (BATCH * n + np.arange(BATCH, dtype=np.uint8)) % 10 for n, name in enumerate(self.images)}

    def samples(self, name: str) -> bytes:
        pairs = zip(self.labels[name].tolist(), self.images[name], strict=True)
        return b"".join(bytes([label]) + image.transpose(2, 0, 1).tobytes() for label, image in pairs)

    def leave_archive(self, folder: Path) -> None:
        """Batches are in no order, and there are other files."""
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
            files = {name + ".bin": self.samples(name) for name in reversed(self.images)}
            for file, content in {"batches.meta.txt": b"airplane", **files}.items():
                member = tarfile.TarInfo(f"cifar-10-batches-bin/{file}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    def leave_arrays(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, images in self.images.items():
            with lzma.open(folder / f"{name}_images.npy.xz", "wb", preset=0) as stream:
                np.save(stream, images)
        np.savez(folder / "labels.npz", **self.labels)


@pytest.fixture
def cifar(data: Path, monkeypatch: pytest.MonkeyPatch) -> Cifar:
    found = Cifar()
    sha256 = {name: hashlib.sha256(found.samples(name)).hexdigest() for name in found.images}
    monkeypatch.setattr(colour_images, "_BATCH", BATCH)
    monkeypatch.setattr(colour_images, "_BATCHES", sha256)
    return found


@pytest.mark.parametrize("place", ["data", "data/cifar10", "cache/mtjspice/cifar10"])
@pytest.mark.parametrize("leave", [Cifar.leave_archive, Cifar.leave_arrays])
def test_cifar10_is_found_in_either_form(
    cifar: Cifar, tmp_path: Path, leave: Callable[[Cifar, Path], None], place: str
) -> None:
    leave(cifar, tmp_path / place)
    dataset = load_dataset("cifar10")
    *training, test = cifar.images
    for names, x, y in ((training, dataset.x_train, dataset.y_train), ([test], dataset.x_test, dataset.y_test)):
        np.testing.assert_array_equal(y, np.concatenate([cifar.labels[name] for name in names]))
        for channel in range(3):
            expected = np.concatenate([cifar.images[name][..., channel] for name in names])
            np.testing.assert_array_equal(x.reshape(-1, 3, 32, 32)[:, channel], expected)


def test_folders_come_in_order(cifar: Cifar, data: Path) -> None:
    cifar.leave_arrays(data)
    (data / "cifar10").mkdir()
    (data / "cifar10" / ARCHIVE).write_bytes(b"not looked at")
    load_dataset("cifar10")


def test_cifar10_that_is_nowhere_is_downloaded(cifar: Cifar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def retrieve(url: str, known_hash: str, fname: str, path: Path) -> str:
        assert url == f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
        assert known_hash == "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
        cifar.leave_archive(path)
        return str(path / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert len(load_dataset("cifar10").y_train) == 5 * BATCH
    assert (tmp_path / "cache" / "mtjspice" / "cifar10" / ARCHIVE).is_file()


def test_a_bar_follows_the_batches(cifar: Cifar, data: Path) -> None:
    cifar.leave_arrays(data)
    seen: list[object] = []

    @contextmanager
    def bar(title: str) -> Iterator[Callable[[int, int], None]]:
        seen.append(title)
        yield lambda done, total: seen.append((done, total))

    load_dataset("cifar10", progress=bar)
    assert seen == ["cifar10: batches read", *((done, 6) for done in range(7))]


def changed_pixel(cifar: Cifar) -> None:
    cifar.images["data_batch_4"][2, 5, 6, 1] ^= 1


def changed_label(cifar: Cifar) -> None:
    cifar.labels["test_batch"][0] ^= 1


@pytest.mark.parametrize("change", [changed_pixel, changed_label])
@pytest.mark.parametrize("leave", [Cifar.leave_archive, Cifar.leave_arrays])
def test_one_bit_more_or_less_is_found(
    cifar: Cifar, data: Path, leave: Callable[[Cifar, Path], None], change: Callable[[Cifar], None]
) -> None:
    change(cifar)
    leave(cifar, data)
    with pytest.raises(DataError, match=r"the checksum of (data_batch_4|test_batch) of CIFAR-10 is wrong") as error:
        load_dataset("cifar10")
    assert str(data) in str(error.value)


def shorter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def foreign(path: Path) -> None:
    path.write_bytes(b"<html>not found</html>" * 40)


def no_batches(path: Path) -> None:
    with tarfile.open(path, "w:gz"):
        pass


@pytest.mark.parametrize(
    ("damage", "message"),
    [(shorter, "it is damaged"), (foreign, "it is damaged"), (no_batches, "lacks batches")],
)
def test_each_fault_of_the_archive_has_a_message(
    cifar: Cifar, data: Path, damage: Callable[[Path], None], message: str
) -> None:
    cifar.leave_archive(data)
    damage(data / ARCHIVE)
    with pytest.raises(DataError, match=message) as error:
        load_dataset("cifar10")
    assert str(data) in str(error.value)


def other_shape(path: Path) -> None:
    with lzma.open(path, "wb") as stream:
        np.save(stream, np.zeros((BATCH, 3, 32, 32), np.uint8))


def no_array(path: Path) -> None:
    path.write_bytes(lzma.compress(b"no array"))


def labels_of_another(path: Path) -> None:
    np.savez(path, labels=np.zeros(BATCH, np.uint8))


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("data_batch_3_images.npy.xz", Path.unlink, "missing or damaged"),
        ("data_batch_3_images.npy.xz", shorter, "missing or damaged"),
        ("data_batch_3_images.npy.xz", foreign, "missing or damaged"),
        ("data_batch_3_images.npy.xz", no_array, "missing or damaged"),
        ("data_batch_3_images.npy.xz", other_shape, "another shape or type"),
        ("labels.npz", Path.unlink, "cannot read the labels"),
        ("labels.npz", shorter, "cannot read the labels"),
        ("labels.npz", labels_of_another, "cannot read the labels"),
    ],
)
def test_each_fault_of_the_arrays_has_a_message(
    cifar: Cifar, data: Path, file: str, damage: Callable[[Path], None], message: str
) -> None:
    cifar.leave_arrays(data)
    damage(data / file)
    with pytest.raises(DataError, match=message) as error:
        load_dataset("cifar10")
    assert str(data) in str(error.value)


# SVHN.

IMAGES = np.random.default_rng(4).integers(0, 256, (32, 32, 3, 20), np.uint8)
LABELS = (1 + np.arange(20, dtype=np.uint8) % 10)[:, None]


def leave_svhn(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / "train_32x32.mat", {"X": IMAGES, "y": LABELS}, do_compression=True)
    savemat(folder / "test_32x32.mat", {"X": IMAGES[..., :7], "y": LABELS[:7].astype(float)})


@pytest.mark.parametrize("place", ["data", "data/svhn", "cache/mtjspice/svhn", "own"])
def test_svhn_is_found(data: Path, tmp_path: Path, place: str) -> None:
    leave_svhn(tmp_path / place)
    dataset = load_dataset(tmp_path / "own" if place == "own" else "svhn")
    assert dataset.name == ("own" if place == "own" else "svhn")
    assert dataset.classes == tuple("0123456789")
    assert dataset.y_train.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] * 2
    assert dataset.y_test.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert dataset.x_train.dtype == np.uint8
    assert dataset.x_train.flags.c_contiguous
    for sample in range(20):
        for channel in range(3):
            np.testing.assert_array_equal(
                dataset.x_train[sample].reshape(3, 32, 32)[channel], IMAGES[:, :, channel, sample]
            )


@pytest.mark.parametrize("file", ["train_32x32.mat", "test_32x32.mat"])
@pytest.mark.parametrize("name", ["svhn", "own"])
def test_a_file_of_svhn_that_is_missing(tmp_path: Path, data: Path, name: str, file: str) -> None:
    folder = data if name == "svhn" else tmp_path / "own"
    leave_svhn(folder)
    (folder / file).unlink()
    with pytest.raises(DataError, match=f"there is no {file}") as error:
        load_dataset("svhn" if name == "svhn" else folder)
    looked = (data, data / "svhn", tmp_path / "cache" / "mtjspice" / "svhn") if name == "svhn" else (folder,)
    for text in (", ".join(map(str, looked)), "http://ufldl.stanford.edu/housenumbers/", f"put it into {folder}"):
        assert text in str(error.value)


def version_7_3(path: Path) -> None:
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(512))


def other(**arrays: np.ndarray) -> Callable[[Path], None]:
    return lambda path: savemat(path, {"X": IMAGES, "y": LABELS} | arrays)


@pytest.mark.parametrize(
    ("damage", "messages"),
    [
        (shorter, ["no MATLAB file, or truncated"]),
        (lambda path: path.write_bytes(b""), ["no MATLAB file, or truncated"]),
        (foreign, ["no MATLAB file, or truncated"]),
        (version_7_3, ["version 7.3", "-v7"]),
        (lambda path: savemat(path, {"images": IMAGES}), ["not those of SVHN", "neither X nor y"]),
        (lambda path: savemat(path, {"X": IMAGES}), ["not those of SVHN", "uint8 (32, 32, 3, 20)"]),
        (lambda path: savemat(path, {"y": LABELS}), ["not those of SVHN", "y uint8 (20, 1)"]),
        (other(X=IMAGES.transpose(3, 0, 1, 2)), ["not those of SVHN", "X uint8 (20, 32, 32, 3)"]),
        (other(X=IMAGES / 255), ["not those of SVHN", "X float64"]),
        (other(X=np.float64(3)), ["not those of SVHN", "X float64 (1, 1)"]),
        (other(X=IMAGES[..., :0]), ["not those of SVHN"]),
        (other(y=LABELS[:19]), ["not those of SVHN", "y uint8 (19, 1)"]),
        (other(y=np.array(["a"] * 20)), ["not those of SVHN"]),
        (other(y=LABELS - 1), ["labels are out of range", "given:   0", "10 for the digit 0"]),
        (other(y=LABELS + 1), ["labels are out of range", "given:   11"]),
        (other(y=LABELS + 0.5), ["labels are out of range", "given:   1.5"]),
        (other(y=np.where(LABELS == 3, np.nan, LABELS)), ["labels are out of range", "nan"]),
    ],
)
def test_each_fault_of_svhn_has_a_message(data: Path, damage: Callable[[Path], object], messages: list[str]) -> None:
    leave_svhn(data)
    damage(data / "train_32x32.mat")
    with pytest.raises(DataError) as error:
        load_dataset("svhn")
    for message in (*messages, str(data / "train_32x32.mat")):
        assert message in str(error.value)
