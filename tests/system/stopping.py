"""A command that is stopped while it trains."""

import numpy as np
import pytest

from mtjspice.training import epoch_file
from mtjspice.training.epoch_file import EpochFile


def stop_after(monkeypatch: pytest.MonkeyPatch, saves: int) -> None:
    """Keep every epoch, and be stopped as with Ctrl-C after so many."""
    save, left = EpochFile.save, iter(range(saves))

    def stopping(self: EpochFile, history: list[dict[str, object]], state: dict[str, np.ndarray]) -> None:
        save(self, history, state)
        if next(left, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr(epoch_file, "_PAUSE_S", 0.0)
    monkeypatch.setattr(EpochFile, "save", stopping)
