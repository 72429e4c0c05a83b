"""Which numbers may be bet on, and the one reason given where not."""

from bisect import bisect_right
from typing import Any

import pytest

from fundwatch.answers.trust import REASONS, Trust, failed_units, market_trust, trusts, turning_times
from fundwatch.storage.journal import UnitCheck
from fundwatch.storage.queries import MarketRow
from fundwatch.storage.rates import of_window

NOW = 1_770_000_000.0
STALE_AFTER = 7200.0
FINE: dict[str, Any] = {
    **dict.fromkeys(MarketRow._fields),
    "exchange": "hyperliquid",
    "symbol": "xyz:TSLA",
    "group_name": "xyz",
    "status": "active",
    "failures": 0,
    "observed_at": NOW - 60,
    "coverage_24h": 1.0,
    "coverage_7d": 0.9,
    "recorded": 0,
}


def trust(window: str = "now", failed: dict[tuple[str, str], str] | None = None, **columns: Any) -> Trust:
    (market,) = of_window([MarketRow(**{**FINE, **columns})], window)
    return market_trust(market, window, failed or {}, NOW, STALE_AFTER)


def check(group: str, verdict: str, what: str = "estimates") -> UnitCheck:
    return UnitCheck("hyperliquid", group, what, verdict, None, None, 50, None, f"{group} {what}", 5)


@pytest.mark.parametrize("window", ["now", "24h", "7d"])
def test_a_fresh_listed_covered_market_is_trusted_without_a_word(window: str) -> None:
    assert trust(window) == Trust(True, None)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"status": "delisted"}, "delisted"),
        ({"delisting_time": int(NOW) - 1}, "delisted"),
        ({"status": "absent"}, "absent from the market list"),
        ({"observed_at": None}, "stale"),
        ({"observed_at": NOW - 7201}, "stale"),
        ({"failures": 3, "failure": "HTTP 400"}, "failing"),
        ({"coverage_7d": 0.899}, "coverage below 90 %"),
        ({"coverage_7d": None}, "coverage below 90 %"),
    ],
)
def test_what_takes_trust_away(columns: dict[str, Any], reason: str) -> None:
    assert trust("7d", **columns) == Trust(False, reason)
    assert reason in REASONS


@pytest.mark.parametrize(
    "columns",
    [
        {"observed_at": NOW - 7200},
        {"delisting_time": int(NOW) + 3600},
        {"failures": 2, "failure": "HTTP 400"},
    ],
)
def test_what_does_not_yet(columns: dict[str, Any]) -> None:
    assert trust("7d", **columns) == Trust(True, None)


def test_coverage_does_not_matter_for_the_estimate_of_now() -> None:
    assert trust("now", coverage_7d=None, coverage_24h=0.1) == Trust(True, None)


def test_each_window_has_its_own_coverage() -> None:
    assert trust("24h", coverage_24h=0.5, coverage_7d=1.0).reason == "coverage below 90 %"
    assert trust("7d", coverage_24h=0.5, coverage_7d=1.0) == Trust(True, None)


def test_recorded_estimates_are_trusted_and_said_for_windows_only() -> None:
    assert trust("24h", recorded=1) == Trust(True, "recorded")
    assert trust("now", recorded=1) == Trust(True, None)
    assert trust("24h", recorded=1, coverage_24h=0.5) == Trust(False, "coverage below 90 %")


def test_the_worst_reason_is_the_one_given() -> None:
    failed = {("hyperliquid", "xyz"): "rates are 100 times too high"}
    bad: dict[str, Any] = {"status": "delisted", "observed_at": None, "failures": 9, "failure": "x"}
    bad |= {"coverage_7d": 0.0}
    assert trust("7d", failed, **bad).reason == "unit check failed"
    assert trust("7d", **bad).reason == "delisted"
    assert trust("7d", **{**bad, "status": "absent"}).reason == "absent from the market list"
    assert trust("7d", **{**bad, "status": "active"}).reason == "stale"


def test_a_failed_unit_check_of_a_dex_speaks_of_its_markets_only() -> None:
    failed = failed_units([check("xyz", "error"), check("", "ok"), check("flx", "unknown")])
    assert failed == {("hyperliquid", "xyz"): "xyz estimates"}
    assert trust(failed=dict(failed)).reason == "unit check failed"
    assert trust(failed=dict(failed), group_name="flx").trusted
    assert trust(failed=dict(failed), group_name="").trusted
    assert trust(failed=dict(failed), exchange="aster").trusted


def test_a_failed_unit_check_of_the_main_group_speaks_of_the_whole_exchange() -> None:
    failed = dict(failed_units([check("", "error", "settlements"), check("xyz", "ok")]))
    assert trust(failed=failed, group_name="").reason == "unit check failed"
    assert trust(failed=failed).reason == "unit check failed"
    assert trust(failed=failed, exchange="aster", group_name="").trusted


def test_between_two_turning_times_time_changes_no_trust() -> None:
    columns: list[dict[str, Any]] = [
        {"market_id": 1, "observed_at": NOW - 7000},
        {"market_id": 2, "observed_at": NOW - 100, "delisting_time": int(NOW) + 300},
        {"market_id": 3, "observed_at": None},
        {"market_id": 4, "observed_at": NOW - 9000},
    ]
    markets = of_window([MarketRow(**{**FINE, **more}) for more in columns], "now")
    turns = turning_times(markets, STALE_AFTER)
    said = {
        bisect_right(turns, at): trusts(markets, "now", {}, at, STALE_AFTER)
        for at in range(int(NOW) - 9500, int(NOW) + 8000)
    }
    for at in (*range(int(NOW) - 9500, int(NOW) + 8000), NOW + 200, NOW + 200.001, NOW + 300, NOW + 299.999):
        assert trusts(markets, "now", {}, at, STALE_AFTER) == said[bisect_right(turns, at)]
    assert len({tuple(one.items()) for one in said.values()}) == 4
