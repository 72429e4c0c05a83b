from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.collector.ledger import Ledger
from tests.collector.scripted import HandClock, Watch, open_ledger, scripted


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: HandClock) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def watch(ledger: Ledger, clock: HandClock) -> Watch:
    return Watch(ledger, scripted(clock), clock)
