from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.storage.database import Writer, open_writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fundwatch.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    opened = open_writer(path, world="real")
    yield opened
    opened.close()
