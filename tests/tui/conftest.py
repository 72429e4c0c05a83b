from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.house import House


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A furnished house; what it exports goes to a folder of its own."""
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path)
    house.enabled("lighter", "binance", "aster", "paradex")
    house.furnish()
    yield house
    house.close()


@pytest.fixture
def empty_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A database in which nothing was collected yet."""
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path)
    yield house
    house.close()
