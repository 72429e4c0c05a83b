import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.desk import Desk


@pytest.fixture(autouse=True)
def a_user_without_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("FUNDWATCH_CONFIG", "FUNDWATCH_DB"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, time.time())
    yield desk
    desk.writer.close()
