"""Where published files are looked for, and how they are downloaded; small ones stand for real ones."""

import gc
import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pooch
import pytest

from mtjspice.errors import DataError, InputError
from mtjspice.training.published import PublishedFiles

CONTENT = {"rocks.txt": "97 of these", "mines.txt": "111 of those"}


class Server(NamedTuple):
    folder: Path
    files: PublishedFiles


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with files that are neither in a folder of data nor in the cache yet."""
    folder = tmp_path / "server"
    folder.mkdir()
    for file, text in CONTENT.items():
        (folder / file).write_text(text)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.delenv("MTJSPICE_DATA", raising=False)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        sha256 = {file: hashlib.sha256(text.encode()).hexdigest() for file, text in CONTENT.items()}
        yield Server(folder, PublishedFiles("sonar", f"http://127.0.0.1:{server.server_port}/", sha256))
        gc.collect()  # requests closes the socket of a refused download here, and not in another test
        server.shutdown()
        thread.join()


def found(files: PublishedFiles) -> dict[str, str]:
    return {path.name: path.read_text() for path in files.paths()}


def test_what_is_nowhere_is_downloaded_once(published: Server, tmp_path: Path) -> None:
    assert list(found(published.files).items()) == list(CONTENT.items())
    assert (tmp_path / "cache" / "mtjspice" / "sonar" / "rocks.txt").is_file()
    for file in list(published.folder.iterdir()):
        file.unlink()
    assert found(published.files) == CONTENT


@pytest.mark.parametrize("inside", [".", "sonar"])
def test_the_named_folder_and_its_sub_folder_come_before_the_cache(
    published: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    folder = tmp_path / "data" / inside
    folder.mkdir(parents=True)
    for file in list(published.folder.iterdir()):
        file.rename(folder / file.name)
    monkeypatch.setenv("MTJSPICE_DATA", str(tmp_path / "data"))
    assert found(published.files) == CONTENT
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("place", ["data/sonar", "cache/mtjspice/sonar"])
def test_a_damaged_file_is_named_with_both_checksums(
    published: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True)
    (folder / "rocks.txt").write_text("damaged")
    if place.startswith("data"):
        monkeypatch.setenv("MTJSPICE_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match=r"the checksum of rocks\.txt is wrong") as error:
        published.files.paths()
    assert str(folder / "rocks.txt") in str(error.value)
    assert hashlib.sha256(b"damaged").hexdigest() in str(error.value)
    assert published.files.sha256["rocks.txt"] in str(error.value)
    assert "remove the file" in str(error.value)
    assert (folder / "rocks.txt").read_text() == "damaged"


def test_a_damaged_download_is_refused_and_not_kept(published: Server, tmp_path: Path) -> None:
    (published.folder / "rocks.txt").write_text("an error page")
    with pytest.raises(DataError, match=r"the download of rocks\.txt is damaged"):
        published.files.paths()
    assert not list((tmp_path / "cache" / "mtjspice" / "sonar").iterdir())


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_download_that_fails_says_where_to_put_the_file(published: Server) -> None:
    (published.folder / "rocks.txt").unlink()
    with pytest.raises(DataError, match=r"cannot download rocks\.txt") as error:
        published.files.paths()
    assert "cache/mtjspice/sonar" in str(error.value)
    assert "MTJSPICE_DATA" in str(error.value)


def test_a_named_folder_that_is_none_is_refused(
    published: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MTJSPICE_DATA", str(tmp_path / "absent"))
    with pytest.raises(InputError, match=r"\$MTJSPICE_DATA is no folder"):
        published.files.paths()
