"""The ranking: sizes, order and windows by hand."""

from typing import Any

import msgspec
import pytest

from fundwatch.answers.top import Rate, top
from fundwatch.models import Source, hourly_rate
from fundwatch.storage import summary
from tests.answers.stage import END, NOW, Stage
from tests.storage.ledger import hour, paid


def shown(stage: Stage, **words: Any) -> list[Rate]:
    with stage.read() as db:
        return top(db, NOW, **{"stale_after_seconds": 7200, **words})


def quoted(stage: Stage, symbol: str, apr: float | None, exchange: str = "aster", **columns: Any) -> None:
    age = columns.pop("age", 60)
    market = stage.market(symbol, exchange=exchange, **columns)
    stage.quote(market, observed_at=NOW - age, hourly_rate=None if apr is None else hourly_rate(apr))


def settled(stage: Stage, symbol: str, rates: list[float], exchange: str = "aster", **words: Any) -> None:
    """Hourly payments, the last one at END."""
    stage.exchange = exchange
    ends = range(END - len(rates) + 1, END + 1)
    stage.save(*(paid(end, rate, symbol=symbol) for end, rate in zip(ends, rates, strict=True)), **words)
    with stage.writer.transaction():
        summary.rebuild(stage.writer, NOW)


def symbols(rates: list[Rate]) -> list[str]:
    return [rate.symbol for rate in rates]


def test_a_rate_by_hand(stage: Stage) -> None:
    market = stage.market("1000PEPEUSDT", exchange="aster", ticker="PEPE", multiplier=1000.0)
    stage.quote(
        market,
        observed_at=NOW - 60,
        hourly_rate=-0.0000125,
        interval_hours=4.0,
        next_funding_time=hour(END + 4),
        mark_price=0.0123,
        volume_24h_usd=2e6,
    )
    (rate,) = shown(stage)
    assert msgspec.structs.asdict(rate) == {
        "exchange": "aster",
        "symbol": "1000PEPEUSDT",
        "asset": "PEPE",
        "asset_class": "crypto",
        "apr_percent": pytest.approx(-10.95),
        "hourly_rate": -0.0000125,
        "interval_hours": 4.0,
        "window": "now",
        "coverage": None,
        "mark_price": 0.0123,
        "open_interest_usd": None,
        "volume_24h_usd": 2e6,
        "next_funding_time": hour(END + 4),
        "observed_at": NOW - 60,
        "trusted": True,
        "reason": None,
    }


def test_the_largest_rate_comes_first_whatever_its_sign(stage: Stage) -> None:
    for symbol, apr in (("A", 5.0), ("B", -80.0), ("C", 30.0), ("D", 0.0)):
        quoted(stage, symbol, apr)
    assert symbols(shown(stage)) == ["B", "C", "A", "D"]


def test_equal_rates_stand_by_exchange_and_symbol(stage: Stage) -> None:
    for exchange, symbol in (("lighter", "A"), ("aster", "B"), ("aster", "A")):
        quoted(stage, symbol, 10.95, exchange)
    assert [(r.exchange, r.symbol) for r in shown(stage)] == [
        ("aster", "A"),
        ("aster", "B"),
        ("lighter", "A"),
    ]


def test_what_cannot_be_trusted_follows_with_its_reason_and_never_wins(stage: Stage) -> None:
    quoted(stage, "SMALL", 1.0)
    quoted(stage, "OLD", 900.0, age=8000)
    quoted(stage, "GONE", -990.0, status="absent")
    quoted(stage, "WRONG", 5000.0, "hyperliquid", group_name="xyz")
    stage.unit_check("hyperliquid", "error", "xyz")
    assert [(r.symbol, r.trusted, r.reason) for r in shown(stage)] == [
        ("SMALL", True, None),
        ("WRONG", False, "unit check failed"),
        ("GONE", False, "absent from the market list"),
        ("OLD", False, "stale"),
    ]
    assert symbols(shown(stage, limit=2)) == ["SMALL", "WRONG"]


def test_a_rate_that_is_not_known_and_a_delisted_market_are_left_out(stage: Stage) -> None:
    quoted(stage, "NULL", None)
    quoted(stage, "DEAD", 50.0, status="delisted")
    assert shown(stage) == []


def test_a_rate_of_zero_is_a_rate(stage: Stage) -> None:
    quoted(stage, "ZERO", 0.0)
    assert [(r.symbol, r.apr_percent) for r in shown(stage)] == [("ZERO", 0.0)]


def test_stale_is_what_the_configuration_says(stage: Stage) -> None:
    quoted(stage, "A", 10.0, age=1000)
    assert shown(stage, stale_after_seconds=999)[0].reason == "stale"
    assert shown(stage, stale_after_seconds=1000)[0].reason is None


def test_only_one_exchange_or_one_class(stage: Stage) -> None:
    quoted(stage, "A", 1.0)
    quoted(stage, "B", 2.0, "lighter")
    quoted(stage, "C", 3.0, "lighter", asset_class="equity")
    assert symbols(shown(stage, exchange="lighter")) == ["C", "B"]
    assert symbols(shown(stage, asset_class="crypto")) == ["B", "A"]
    assert symbols(shown(stage, exchange="lighter", asset_class="crypto")) == ["B"]
    assert shown(stage, exchange="paradex") == []


def test_no_limit_shows_all(stage: Stage) -> None:
    for number in range(25):
        quoted(stage, f"M{number}", float(number))
    assert (len(shown(stage)), len(shown(stage, limit=None)), len(shown(stage, limit=7))) == (20, 25, 7)


def test_a_window_is_the_mean_that_was_paid_not_the_estimate(stage: Stage) -> None:
    """12 hours of 0.003 % and 12 of 0.001 %: 0.002 % an hour, 17.52 % a year."""
    quoted(stage, "A", 900.0)
    settled(stage, "A", [0.00003] * 12 + [0.00001] * 12)
    (rate,) = shown(stage, window="24h")
    assert (rate.window, rate.coverage, rate.trusted) == ("24h", 1.0, True)
    assert rate.hourly_rate == pytest.approx(0.00002)
    assert rate.apr_percent == pytest.approx(17.52)


def test_a_window_is_ranked_from_90_percent_coverage_on(stage: Stage) -> None:
    quoted(stage, "A", 1.0)
    quoted(stage, "B", 1.0)
    settled(stage, "A", [0.00001] * 22)
    settled(stage, "B", [0.00009] * 21)
    assert [(r.symbol, r.trusted, r.reason) for r in shown(stage, window="24h")] == [
        ("A", True, None),
        ("B", False, "coverage below 90 %"),
    ]
    assert [r.coverage for r in shown(stage, window="24h")] == [
        pytest.approx(22 / 24),
        pytest.approx(21 / 24),
    ]
    assert [(r.symbol, r.trusted) for r in shown(stage, window="3d")] == [("B", False), ("A", False)]


def test_a_market_without_settlements_is_in_no_window(stage: Stage) -> None:
    quoted(stage, "A", 900.0)
    assert shown(stage, window="7d") == []


def test_windows_move_on_where_nobody_collects(stage: Stage) -> None:
    """The stored summaries end 30 hours ago; the answer ends at its own hour."""
    quoted(stage, "A", 1.0)
    settled(stage, "A", [0.00001] * 72)
    with stage.read() as db:
        (rate,) = top(db, NOW + 30 * 3600, window="3d", stale_after_seconds=1e9)
    assert rate.coverage == pytest.approx((72 - 30) / 72)


def test_recorded_estimates_are_trusted_and_said(stage: Stage) -> None:
    quoted(stage, "A", 1.0, "variational")
    settled(stage, "A", [0.00001] * 24, "variational", source=Source.RECORDED)
    (rate,) = shown(stage, window="24h")
    assert (rate.trusted, rate.reason) == (True, "recorded")
