from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.answers.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    stage.writer.connection().execute("PRAGMA synchronous = OFF")  # no test here pulls the plug
    yield stage
    stage.writer.close()
