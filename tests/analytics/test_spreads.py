from collections import defaultdict
from itertools import permutations
from math import inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.analytics.spreads import (
    Cost,
    Leg,
    Pair,
    best_pairs,
    break_even_hours,
    hourly_rates,
    net_apr_percent,
    price_gap_percent,
    round_trip_percent,
    share_positive,
)
from fundwatch.models import HOUR, Window

BTC = ("BTC", "crypto")


def leg(
    exchange: str,
    apr: float,
    *,
    symbol: str = "BTC",
    asset: tuple[str, str] = BTC,
    cluster: int | None = 0,
    volume: float | None = 1e6,
    trusted: bool = True,
) -> Leg:
    return Leg(0, exchange, symbol, asset, cluster, apr, volume, trusted)


def told(pairs: list[Pair]) -> list[tuple[str, str, float, bool]]:
    return sorted((p.long.exchange, p.short.exchange, p.spread_apr_percent, p.ranked) for p in pairs)


def test_the_short_leg_stands_where_the_rate_is_highest() -> None:
    legs = [leg("aster", 10.95), leg("lighter", -5.0), leg("binance", 21.9)]
    assert told(best_pairs(legs)) == [("lighter", "binance", 26.9, True)]


def test_a_spread_between_two_negative_rates_is_short_minus_long() -> None:
    legs = [leg("aster", -10.0), leg("lighter", -25.0)]
    assert told(best_pairs(legs)) == [("lighter", "aster", 15.0, True)]


def test_each_asset_and_class_has_its_own_pair() -> None:
    equity = ("BB", "equity")
    legs = [
        leg("aster", 1.0, asset=("BB", "crypto")),
        leg("lighter", 500.0, asset=equity),
        leg("extended", 7.0, asset=equity),
    ]
    (pair,) = best_pairs(legs)
    assert (pair.long.asset, pair.spread_apr_percent) == (equity, 493.0)


def test_an_exchange_is_represented_by_its_largest_volume_unknown_volume_last() -> None:
    legs = [
        leg("binance", 90.0, symbol="BTCUSDC", volume=1.0),
        leg("binance", 10.0, symbol="BTCUSDT", volume=9.0),
        leg("binance", 99.0, symbol="ABTC", volume=None),
        leg("aster", 4.0),
    ]
    (pair,) = best_pairs(legs)
    assert (pair.short.symbol, pair.spread_apr_percent) == ("BTCUSDT", 6.0)


def test_two_markets_of_one_exchange_are_no_pair() -> None:
    assert best_pairs([leg("binance", 1.0), leg("binance", 9.0, symbol="BTCUSDC")]) == []
    assert best_pairs([leg("binance", 1.0)]) == []
    assert best_pairs([]) == []


def test_an_untrusted_leg_does_not_win_and_does_not_vanish() -> None:
    legs = [leg("lighter", 1000.0, trusted=False), leg("aster", 10.0), leg("binance", 15.0)]
    assert told(best_pairs(legs)) == [("aster", "binance", 5.0, True), ("aster", "lighter", 990.0, False)]


def test_an_untrusted_leg_in_the_middle_is_nobodys_business() -> None:
    legs = [leg("lighter", 12.0, trusted=False), leg("aster", 10.0), leg("binance", 15.0)]
    assert told(best_pairs(legs)) == [("aster", "binance", 5.0, True)]


def test_an_untrusted_market_does_not_stand_for_an_exchange_that_has_a_trusted_one() -> None:
    legs = [
        leg("hyperliquid", 50.0, symbol="xyz:TSLA", volume=9e9, trusted=False),
        leg("hyperliquid", 20.0, symbol="flx:TSLA", volume=1.0),
        leg("aster", 10.0),
    ]
    assert told(best_pairs(legs)) == [
        ("aster", "hyperliquid", 10.0, True),
        ("aster", "hyperliquid", 40.0, False),
    ]


def test_markets_that_differ_in_price_are_ranked_apart_and_shown_together_unranked() -> None:
    legs = [
        leg("aster", 10.0),
        leg("lighter", 12.0),
        leg("extended", 400.0, cluster=1),
        leg("paradex", 390.0, cluster=1),
    ]
    assert told(best_pairs(legs)) == [
        ("aster", "extended", 390.0, False),
        ("aster", "lighter", 2.0, True),
        ("paradex", "extended", 10.0, True),
    ]


def test_a_market_of_unknown_price_is_the_same_as_nothing() -> None:
    legs = [leg("aster", 10.0, cluster=None), leg("lighter", 12.0, cluster=None)]
    (pair,) = best_pairs(legs)
    assert not pair.ranked
    assert not pair.same_cluster


MARKETS = st.lists(
    st.builds(
        leg,
        st.sampled_from(["aster", "binance", "extended", "lighter"]),
        st.floats(-1e5, 1e5),
        symbol=st.sampled_from(["A", "B", "C"]),
        asset=st.sampled_from([BTC, ("ETH", "crypto")]),
        cluster=st.sampled_from([0, 0, 0, 1, None]),
        volume=st.none() | st.floats(0, 1e9),
        trusted=st.booleans(),
    ),
    max_size=16,
    unique_by=lambda one: (one.exchange, one.symbol, one.asset),
)


@given(MARKETS)
def test_ranked_pairs_are_trusted_the_same_asset_on_two_exchanges_and_never_negative(
    legs: list[Leg],
) -> None:
    for pair in best_pairs(legs):
        assert pair.long.exchange != pair.short.exchange
        assert pair.long.asset == pair.short.asset
        assert pair.spread_apr_percent >= 0
        assert pair.ranked == (pair.long.trusted and pair.short.trusted and pair.same_cluster)


@given(MARKETS)
def test_no_two_representatives_are_wider_apart_than_the_ranked_pair(legs: list[Leg]) -> None:
    standing: dict[tuple[object, ...], list[Leg]] = defaultdict(list)
    for one in legs:
        if one.trusted and one.cluster is not None:
            standing[one.asset, one.cluster, one.exchange].append(one)
    chosen = [
        min(markets, key=lambda m: (inf if m.volume_24h_usd is None else -m.volume_24h_usd, m.symbol))
        for markets in standing.values()
    ]
    widest: dict[tuple[object, ...], float] = {}
    for long, short in permutations(chosen, 2):
        key = (long.asset, long.cluster)
        if key == (short.asset, short.cluster):
            widest[key] = max(widest.get(key, -inf), short.apr_percent - long.apr_percent)
    ranked = [p for p in best_pairs(legs) if p.ranked]
    assert {(p.long.asset, p.long.cluster): p.spread_apr_percent for p in ranked} == widest
    assert len(ranked) == len(widest)


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=6, unique=True))
def test_the_other_sign_swaps_the_legs(rates: list[float]) -> None:
    (pair,) = best_pairs([leg(f"e{n}", rate) for n, rate in enumerate(rates)])
    (mirrored,) = best_pairs([leg(f"e{n}", -rate) for n, rate in enumerate(rates)])
    assert (mirrored.long.exchange, mirrored.short.exchange) == (pair.short.exchange, pair.long.exchange)
    assert mirrored.spread_apr_percent == pair.spread_apr_percent


@given(MARKETS, st.randoms())
def test_the_order_of_the_markets_does_not_matter(legs: list[Leg], random: Random) -> None:
    shuffled = list(legs)
    random.shuffle(shuffled)
    assert sorted(best_pairs(shuffled), key=repr) == sorted(best_pairs(legs), key=repr)


def test_a_round_trip_is_two_trades_of_each_leg_and_each_quoted_width_once() -> None:
    assert round_trip_percent(Cost(0.045), Cost(0.05)) == pytest.approx(0.19)
    assert round_trip_percent(Cost(0.0, 0.265), Cost(0.025)) == pytest.approx(0.315)


@pytest.mark.parametrize("unknown", [Cost(None), Cost(0.0, None)])
def test_a_cost_that_is_not_known_makes_the_round_trip_unknown(unknown: Cost) -> None:
    assert round_trip_percent(unknown, Cost(0.05)) is None
    assert round_trip_percent(Cost(0.05), unknown) is None
    assert net_apr_percent(20.0, None, 168) is None
    assert break_even_hours(20.0, None) is None


def test_net_is_gross_less_the_round_trip_for_each_time_held() -> None:
    """0.19 % x 8760 / 168 = 9.907...; held for a year the round trip counts once."""
    assert net_apr_percent(20.0, 0.19, 168) == pytest.approx(10.0928571)
    assert net_apr_percent(20.0, 0.19, 8760) == pytest.approx(19.81)
    assert net_apr_percent(5.0, 0.19, 24) == pytest.approx(-64.35)


def test_break_even_is_the_round_trip_over_the_gross_spread_of_an_hour() -> None:
    """8.76 % APR is 0.001 % an hour."""
    assert break_even_hours(8.76, 0.19) == pytest.approx(190.0)


@pytest.mark.parametrize("gross", [0.0, -8.76, 5e-324])
def test_a_pair_that_never_earns_its_costs_never_breaks_even(gross: float) -> None:
    assert break_even_hours(gross, 0.19) is None


def test_rebates_break_even_at_once() -> None:
    assert break_even_hours(8.76, -0.02) == 0


@given(
    gross=st.floats(0, 1e5),
    fees=st.tuples(st.floats(0, 5), st.floats(0, 5)),
    width=st.floats(0, 10),
    hold=st.floats(1, 1e5),
)
def test_net_is_never_above_gross_and_even_when_held_to_break_even(
    gross: float, fees: tuple[float, float], width: float, hold: float
) -> None:
    trip = round_trip_percent(Cost(fees[0], width), Cost(fees[1]))
    net = net_apr_percent(gross, trip, hold)
    assert net is not None
    assert net <= gross
    even = break_even_hours(gross, trip)
    if even:
        at_even = net_apr_percent(gross, trip, even)
        assert at_even == pytest.approx(0, abs=1e-6 * gross + 1e-9)


def test_the_price_gap_is_positive_when_the_short_leg_is_dearer() -> None:
    assert price_gap_percent(99.0, 101.0) == pytest.approx(2.0)
    assert price_gap_percent(101.0, 99.0) == pytest.approx(-2.0)


@pytest.mark.parametrize("price", [None, 0.0, -99.0])
def test_without_two_prices_there_is_no_gap(price: float | None) -> None:
    assert price_gap_percent(price, 99.0) is None
    assert price_gap_percent(99.0, price) is None


WINDOW = Window(0, 8 * HOUR)


def test_a_payment_is_spread_over_the_hours_it_covers() -> None:
    rates = hourly_rates([(4 * HOUR, 0.0004, 4.0, False), (5 * HOUR, -0.0003, 1.0, False)], WINDOW)
    assert rates == {
        1 * HOUR: 0.0001,
        2 * HOUR: 0.0001,
        3 * HOUR: 0.0001,
        4 * HOUR: 0.0001,
        5 * HOUR: -0.0003,
    }


def test_hours_before_the_window_and_payments_of_unknown_interval_are_left_out() -> None:
    rates = hourly_rates([(2 * HOUR, 0.0008, 8.0, False), (6 * HOUR, 0.0001, None, False)], WINDOW)
    assert rates == {HOUR: 0.0001, 2 * HOUR: 0.0001}


def test_a_special_payment_adds_to_its_hour_and_covers_none() -> None:
    rows = [(HOUR, -0.0005, 0.0, True), (HOUR, 0.0001, 1.0, False), (5 * HOUR, -0.0005, 0.0, True)]
    assert hourly_rates(rows, WINDOW) == {HOUR: pytest.approx(-0.0004)}


def test_share_positive_counts_the_hours_that_both_legs_know() -> None:
    long = hourly_rates([(8 * HOUR, 0.0008, 8.0, False)], WINDOW)
    short = {HOUR: 0.0002, 2 * HOUR: 0.0003, 3 * HOUR: 0.00005, 4 * HOUR: 0.0002, 99 * HOUR: -1.0}
    assert share_positive(long, short) == 0.75
    assert share_positive(short, long) == 0.25


def test_equal_rates_earn_nothing_however_their_floats_were_rounded() -> None:
    """0.0003 / 3 is 9.999999999999999e-05."""
    thirds = hourly_rates([(3 * HOUR, 0.0003, 3.0, False)], WINDOW)
    assert share_positive(thirds, dict.fromkeys(thirds, 0.0001)) == 0
    assert share_positive(dict.fromkeys(thirds, 0.0001), thirds) == 0


def test_without_a_common_hour_nothing_is_known() -> None:
    assert share_positive({HOUR: 0.1}, {2 * HOUR: 0.2}) is None
    assert share_positive({}, {}) is None
