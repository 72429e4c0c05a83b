"""What was kept of earlier settlements is never shown once they changed."""

from collections.abc import Callable

import pytest

from fundwatch.answers import earned
from fundwatch.answers.memo import Memo
from fundwatch.answers.spreads import Spread, spreads
from fundwatch.config import Config
from fundwatch.models import HOUR, Settlement, Source, hourly_rate
from fundwatch.storage import summary, trackers, undo
from fundwatch.storage.settlements import save_settlements
from tests.answers.stage import END, NOW, Stage
from tests.storage.ledger import paid


@pytest.fixture
def pair(stage: Stage) -> Stage:
    """BTC on two exchanges, where ten hours settled; short Lighter earned in all of them."""
    for exchange, apr, rate in (("aster", 1.0, 0.0001), ("lighter", 9.0, 0.0002)):
        stage.describe(exchange)
        market = stage.market("BTC", exchange=exchange)
        stage.quote(market, observed_at=NOW - 60, hourly_rate=hourly_rate(apr), mark_price=100.0)
        stage.change("INSERT INTO identity (market_id, same_as_group) VALUES (?, 0)", market)
        store(stage, exchange, *(paid(end, rate) for end in range(END - 9, END + 1)))
    return stage


def store(stage: Stage, exchange: str, *rows: Settlement, source: Source = Source.EXCHANGE) -> int:
    """As the collector does; the run's id."""
    writer = stage.writer
    with writer.transaction():
        run_id = trackers.begin_run(writer, exchange, "sweep", source, 1, NOW - 100)
    with writer.transaction():
        stored = save_settlements(writer, run_id, exchange, rows, NOW + HOUR)
        trackers.count_rows(writer, run_id, inserted=stored.inserted, replaced=stored.replaced)
        summary.refresh(writer, NOW, stored.market_ids)
    return run_id


def shown(stage: Stage, memo: Memo | None, now: float = NOW, window: str = "now") -> Spread:
    with stage.read() as db:
        (found,) = spreads(db, Config(), now, window=window, memo=memo)
    return found


def changed(stage: Stage, change: Callable[[], object], now: float = NOW) -> tuple[Spread, Spread]:
    """The pair as it was and as it is after `change`, which must be what nobody's memory says."""
    memo = Memo()
    before = shown(stage, memo)
    change()
    after = shown(stage, memo, now)
    assert after == shown(stage, None, now)
    return before, after


def test_without_news_no_settlement_is_read_again(pair: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    memo = Memo()
    first = shown(pair, memo)

    def read(*_: object) -> dict[int, float]:
        raise AssertionError("settlements were read again")

    monkeypatch.setattr(earned, "paid_hourly", read)
    pair.change("UPDATE quote SET observed_at = observed_at + 1")
    again = shown(pair, memo)
    assert again.share_positive == first.share_positive == 1.0
    with pytest.raises(AssertionError):
        shown(pair, memo, window="24h")


def test_a_settlement_that_is_stored_counts_at_once(pair: Stage) -> None:
    before, after = changed(pair, lambda: store(pair, "lighter", paid(END - 10, -0.5e-3)))
    assert before.share_positive == after.share_positive == 1.0
    before, after = changed(pair, lambda: store(pair, "aster", paid(END - 10, 0.0001)))
    assert (before.share_positive, after.share_positive) == (1.0, 10 / 11)


def test_a_settlement_that_is_replaced_counts_at_once(pair: Stage) -> None:
    """Also where the sums over every window stay what they were: two rates change places."""
    one, other = END - 20, END - 19
    store(pair, "aster", paid(one, 0.0001), paid(other, 0.0005))
    store(pair, "lighter", paid(one, 0.0), paid(other, 0.0004), source=Source.IMPORT)
    before, after = changed(pair, lambda: store(pair, "lighter", paid(one, 0.0004), paid(other, 0.0)))
    assert (before.share_positive, after.share_positive) == (10 / 12, 11 / 12)


def test_a_run_that_is_undone_counts_no_more(pair: Stage) -> None:
    store(pair, "aster", paid(END - 10, 0.0001))
    run_id = store(pair, "lighter", paid(END - 10, -0.5e-3))

    def take_back() -> None:
        with pair.writer.transaction():
            undo.undo_run(pair.writer, run_id, NOW)

    before, after = changed(pair, take_back)
    assert (before.share_positive, after.share_positive) == (10 / 11, 1.0)


def test_one_group_that_is_taken_back_counts_no_more(pair: Stage) -> None:
    store(pair, "aster", paid(END - 10, 0.0001))
    run_id = store(pair, "lighter", paid(END - 10, -0.5e-3))

    def take_back() -> None:
        with pair.writer.transaction():
            undo.undo_run(pair.writer, run_id, NOW, group="")

    before, after = changed(pair, take_back)
    assert (before.share_positive, after.share_positive) == (10 / 11, 1.0)


def test_rows_of_a_program_that_leaves_no_token_are_seen_by_their_count(pair: Stage) -> None:
    store(pair, "aster", paid(END - 10, 0.0001))

    def store_without_token() -> None:
        token = pair.writer.value("SELECT value FROM meta WHERE key = 'settled'")
        store(pair, "lighter", paid(END - 10, -0.5e-3))
        pair.change("UPDATE meta SET value = ? WHERE key = 'settled'", token)

    before, after = changed(pair, store_without_token)
    assert (before.share_positive, after.share_positive) == (1.0, 10 / 11)


def test_the_window_moves_with_the_hour(pair: Stage) -> None:
    store(pair, "aster", paid(END + 1, 0.0001))
    store(pair, "lighter", paid(END + 1, -0.5e-3))
    before, after = changed(pair, lambda: None, NOW + HOUR)
    assert (before.share_positive, after.share_positive) == (1.0, 10 / 11)


def test_a_recorded_estimate_in_either_leg_is_said_from_memory_too(pair: Stage) -> None:
    memo = Memo()
    store(pair, "aster", paid(END - 10, 0.0001), source=Source.RECORDED)
    assert shown(pair, memo).reason == shown(pair, memo).reason == "recorded"


def test_a_recorded_estimate_after_the_last_summary_is_said(pair: Stage) -> None:
    """Nobody collects: the summary ends before the hour that was recorded."""
    store(pair, "aster", paid(END + 1, 0.0001), source=Source.RECORDED)
    pair.change("UPDATE summary SET recorded = 0, window_end = ?", NOW // HOUR * HOUR)
    assert shown(pair, None).reason is None
    assert shown(pair, None, NOW + HOUR).reason == "recorded"
