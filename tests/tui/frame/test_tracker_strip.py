"""The trackers of all exchanges in a few lines."""

import msgspec

from fundwatch.answers.status import CollectorState, ExchangeStatus, Status
from fundwatch.tui.frame.tracker_strip import drawn
from fundwatch.tui.snapshot import Question, Snapshot
from tests.tui.frame.test_status_line import NOON, one


def lines(*exchanges: ExchangeStatus, width: int = 80, now: float = NOON) -> list[str]:
    status = Status(CollectorState(True, 1, int(NOON)), list(exchanges), [])
    found = drawn(Snapshot(NOON, Question(), status), width, 9, now)
    return ["".join(text for text, _ in line) for line in found]


def tracker(name: str, health: str = "ok", **changes: object) -> ExchangeStatus:
    usual = {"markets": 421, "markets_fresh": 421, "oldest_quote_seconds": 5.0}
    return msgspec.structs.replace(one(name, health), **usual | changes)


def test_every_column_stands_in_its_place_whatever_its_words() -> None:
    found = lines(
        tracker("hyperliquid", "never", status="running", oldest_quote_seconds=None),
        tracker("a", "partial", markets_fresh=7, oldest_quote_seconds=3600.0),
        width=40,
    )
    assert found[0].startswith(" hyperliquid starting 421/421      - ")
    assert found[1].startswith(" a           PARTIAL    7/421    1 h ")
    assert {len(text) for text in found} == {40}


def test_ages_go_on_after_the_snapshot() -> None:
    assert "  5 s" in lines(tracker("aster"), width=40)[0]
    assert " 25 s" in lines(tracker("aster"), width=40, now=NOON + 20)[0]


def test_two_columns_stand_side_by_side_where_they_fit() -> None:
    three = (tracker("aster"), tracker("binance"), tracker("lighter"))
    assert len(lines(*three, width=80)) == 2
    assert len(lines(*three, width=60)) == 3
    assert lines(*three, width=80)[0].index("lighter") == 41


def test_three_runs_are_to_be_seen_on_eighty_columns() -> None:
    assert lines(tracker("hyperliquid"), tracker("b"), width=80)[0].count("·") == 6
