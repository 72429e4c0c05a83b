from collections import Counter

import pytest

from fundwatch.demo.assets import coined
from fundwatch.demo.listings import EXCHANGES, listing
from fundwatch.demo.markets import CHANGE_HOURS, DemoMarket
from tests.demo.conftest import NOW

HOUR = int(NOW // 3600)


def counted(exchange: str) -> int:
    return sum(m.is_open(HOUR) for m in listing(exchange).at(HOUR))


@pytest.mark.parametrize(
    ("exchange", "about"),
    [
        ("lighter", 212),
        ("hyperliquid", 420),
        ("binance", 740),
        ("aster", 590),
        ("extended", 323),
        ("paradex", 100),
        ("variational", 550),
    ],
)
def test_an_exchange_lists_about_as_many_markets_as_the_real_one(exchange: str, about: int) -> None:
    assert counted(exchange) == pytest.approx(about, abs=6)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_symbol_is_one_market_at_any_time(exchange: str) -> None:
    for hour in range(HOUR - 2000, HOUR, 500):
        symbols = Counter(m.symbol for m in listing(exchange).at(hour))
        assert max(symbols.values()) == 1


def test_each_builder_dex_has_its_number_of_markets() -> None:
    dexes = Counter(m.group for m in listing("hyperliquid").at(HOUR) if m.group)
    assert dexes == {
        "xyz": 114,
        "hyna": 24,
        "km": 22,
        "para": 20,
        "flx": 15,
        "vntl": 15,
        "cash": 15,
        "mkts": 2,
    }


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_in_any_month_a_market_is_listed_and_another_closed(exchange: str) -> None:
    for hour in range(HOUR - 3000, HOUR, 700):
        markets = listing(exchange).at(hour)
        assert any(hour - 720 < m.listed_hour <= hour for m in markets)
        assert any(m.closed_hour is not None and hour - 720 < m.closed_hour <= hour for m in markets)


def test_a_closed_market_pays_no_more_and_a_new_one_not_before_its_first_interval() -> None:
    launched = next(m for m in listing("binance").at(HOUR) if m.closed_hour and m.closed_hour < HOUR)
    assert launched.closed_hour is not None
    paid = [hour for hour, _ in launched.payments(launched.listed_hour - 100, HOUR)]
    assert paid[0] == launched.listed_hour + 4
    assert paid[-1] == launched.closed_hour


def test_an_interval_changed_within_the_last_30_days() -> None:
    for symbol, pair in (("KAITOUSDT", {8, 4}), ("VVVUSDT", {4, 1})):
        market = listing("binance").find(symbol, HOUR)
        assert market is not None
        assert {interval for _, interval in market.payments(HOUR - 720, HOUR)} == pair


@pytest.mark.parametrize("intervals", [(8, 4), (4, 1), (2,), (1,)])
def test_payments_cover_every_hour_once_across_a_change(intervals: tuple[int, ...]) -> None:
    market = DemoMarket("binance", "XUSDT", listing("binance").lasting[0].asset, intervals=intervals)
    start = HOUR // CHANGE_HOURS * CHANGE_HOURS - CHANGE_HOURS
    covered = [
        h for hour, n in market.payments(start, start + 3 * CHANGE_HOURS) for h in range(hour - n, hour)
    ]
    assert covered == list(range(start, start + 3 * CHANGE_HOURS))


def test_the_same_coin_has_each_exchange_s_own_name_and_multiplier() -> None:
    names = {}
    for exchange in EXCHANGES:
        for m in listing(exchange).lasting:
            if m.asset.key == "crypto:PEPE" and m.quote == "USDT" and not m.group:
                names[exchange] = (m.symbol, m.multiplier)
    assert names == {
        "lighter": ("1000PEPE", 1000),
        "hyperliquid": ("kPEPE", 1000),
        "binance": ("1000PEPEUSDT", 1000),
        "aster": ("1000PEPEUSDT", 1000),
        "extended": ("1000PEPE-USD", 1000),
        "paradex": ("kPEPE-USD-PERP", 1000),
        "variational": ("1000PEPE", 1000),
    }


def test_invented_names_do_not_repeat() -> None:
    assert len({coined(number) for number in range(32_000)}) == 32_000
