import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.storage.errors import DiskTrouble
from fundwatch.storage.spool import Span, Spool, SpooledRow


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path) as opened:
        yield opened


def row(time: int, rate: float = 0.1, kind: int = 0) -> SpooledRow:
    return time, kind, rate, None, 8.5


def test_rows_come_back_by_time_however_they_came(spool: Spool) -> None:
    dice = random.Random(1)
    markets = [spool.new_market() for _ in range(3)]
    given = [(dice.randrange(3), row(time, time / 7)) for time in range(1, 3001)]
    dice.shuffle(given)
    for count, (number, one) in enumerate(given, 1):
        markets[number].append(one)
        if not count % 250:
            spool.write()
    for number in range(3):
        mine = sorted(one for owner, one in given if owner == number)
        assert spool.rows(number) == mine
        assert spool.rows(number) == mine, "as often as one likes"
        assert spool.spans[number] == Span(len(mine), mine[0][0], mine[-1][0])


def test_what_is_of_one_time_keeps_the_order_of_the_file(spool: Spool) -> None:
    rows = spool.new_market()
    rows += [row(7, 0.3), row(7, 0.1), row(7, 0.9, kind=1)]
    spool.write()
    rows += [row(7, 0.2), row(3)]
    spool.write()
    assert [(one[0], one[2]) for one in spool.rows(0)] == [(3, 0.1), (7, 0.3), (7, 0.1), (7, 0.2), (7, 0.9)]


def test_a_market_without_rows_has_none(spool: Spool) -> None:
    spool.new_market()
    spool.write()
    assert (spool.rows(0), spool.spans) == ([], [Span(0, 0, 0)])


def test_nothing_of_it_is_seen_in_the_folder(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.new_market().append(row(1))
        spool.write()
        assert list(tmp_path.iterdir()) == []


def test_without_its_folder_it_lies_where_temporary_files_do(tmp_path: Path) -> None:
    with Spool(tmp_path / "none") as spool:
        spool.new_market().append(row(1))
        spool.write()
        assert spool.rows(0) == [row(1)]


def test_no_room_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool._file.close()
    spool._file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115  # a disk without room
    spool.new_market().append(row(1))
    with pytest.raises(DiskTrouble, match="no room for the rows of the file"):
        spool.write()
    spool.close()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "none"))
    with pytest.raises(DiskTrouble, match="nothing can be written"):
        Spool(tmp_path / "none")
