"""What tests of published data sets share."""

import pooch
import pytest


@pytest.fixture
def no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip where published files would have to be downloaded."""

    def skip(url: str, *_: object, **__: object) -> str:
        pytest.skip(f"{url} is neither in $MTJSPICE_DATA nor in the cache")

    monkeypatch.setattr(pooch, "retrieve", skip)
