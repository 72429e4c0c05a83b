"""One asset on all exchanges: which markets it is, what they paid, what comes next."""

import pytest

from fundwatch.answers.trust import STALE, Trust
from fundwatch.models import HOUR, Window, hourly_rate
from fundwatch.storage.queries import SettlementRow
from fundwatch.tui.detail_rows import (
    Statistics,
    asset,
    columns,
    payments,
    rows,
    series,
    set_aside,
    statistics,
)
from fundwatch.tui.ledger import lines
from fundwatch.tui.words import Words
from tests.tui.markets import NOW, market, snapshot, texts

END = NOW - 20 * 60
DAY = Window(END - 24 * HOUR, END)


def paid(hours_ago: float, rate: float, interval: float | None = 1.0, kind: int = 0) -> SettlementRow:
    return SettlementRow(1, END - round(hours_ago * HOUR), kind, rate, interval, None, 3)


def test_the_asset_is_what_most_exchanges_mean() -> None:
    other = market("BB", "paradex", same_as_group=1, identity_reason="its price is another")
    same = [market("BB", "lighter"), market("BB", "binance")]
    found = asset(snapshot(other, *same, market("BTC")), "BB", "crypto")
    assert set(found.markets) == set(same)
    assert found.apart == (other,)


def test_it_is_what_the_chosen_market_is_about() -> None:
    other = market("BB", "paradex", same_as_group=1)
    same = [market("BB", "lighter"), market("BB", "binance")]
    found = asset(snapshot(other, *same), "BB", "crypto", other.market_id)
    assert found.markets == (other,)
    assert set(found.apart) == set(same)


def test_a_name_that_is_gone_is_an_asset_without_markets() -> None:
    assert asset(snapshot(market()), "GONE", "crypto") == ((), (), {})


def test_set_aside_markets_are_named_with_their_reason() -> None:
    other = market("BB", "paradex", apr=-43.8, same_as_group=1, identity_reason="its price is another")
    found = asset(snapshot(other, market("BB"), market("BB", "binance")), "BB", "crypto")
    said = "".join(text for text, _ in set_aside(found, Words()))
    assert said == "set aside  paradex BB-paradex -43.80 its price is another"
    assert set_aside(asset(snapshot(market()), "BTC", "crypto"), Words()) == []


def test_statistics_are_over_hours_and_in_apr() -> None:
    figures = statistics([paid(8, 8e-5, 8.0), paid(0, -1.6e-4, 8.0)], DAY)
    assert figures.mean == pytest.approx(-4.38)
    assert figures.lowest == pytest.approx(-17.52)
    assert figures.highest == pytest.approx(8.76)
    assert figures.positive == 0.5
    assert figures.coverage == pytest.approx(2 / 3)


def test_without_payments_there_are_no_statistics() -> None:
    assert statistics([], DAY) == Statistics()
    assert statistics([paid(1, 1e-5, None)], DAY) == Statistics()


def test_a_special_payment_counts_in_the_mean_but_is_no_point_of_the_line() -> None:
    found = [paid(1, 1e-5), paid(0, 1e-5), paid(0, 5e-5, 0.0, kind=1)]
    assert statistics(found, DAY).mean == pytest.approx(35e-6 * 8760 * 100)
    assert len(series(market(), found).points) == 2


def test_a_line_carries_the_name_of_its_exchange_and_hourly_rates_as_apr() -> None:
    line = series(market(exchange="binance"), [paid(0, 8e-5, 8.0), paid(1, 1e-5, None)])
    ((time, apr),) = line.points
    assert (line.name, time) == ("binance", END)
    assert apr == pytest.approx(8.76)


def test_a_row_shows_the_estimate_beside_what_was_paid() -> None:
    one = market(apr=10.95)
    shot = snapshot(one)
    found = asset(shot, "BTC", "crypto")
    keys = [column.key for column in columns(Words(), "7d")]
    (row,) = rows(found, shot, Words(), {one.market_id: Statistics(8.0, -1.0, 20.0, 0.995, 0.4)})
    shown = dict(zip(keys, texts(row), strict=True))
    assert (shown["now"], shown["mean"], shown["lowest"], shown["highest"]) == (
        "+10.95",
        "(+8.00)",
        "-1.00",
        "+20.00",
    )
    assert (shown["positive"], shown["coverage"]) == ("99", "40")
    assert len(row.sort) == len(row.cells)
    (unread,) = rows(found, shot, Words())
    assert dict(zip(keys, texts(unread), strict=True))["mean"] == "-"


def test_each_exchange_pays_on_its_own_clock() -> None:
    hourly = market(exchange="lighter", interval_hours=1.0, next_funding_time=NOW + 60)
    slow = market(exchange="binance", interval_hours=4.0, next_funding_time=NOW + 90 * 60)
    shot = snapshot(hourly, slow)
    coming = payments(asset(shot, "BTC", "crypto"), shot)
    assert [(one.exchange, one.time) for one in coming[:4]] == [
        ("lighter", NOW + 60),
        ("lighter", NOW + 60 + HOUR),
        ("binance", NOW + 90 * 60),
        ("lighter", NOW + 60 + 2 * HOUR),
    ]
    assert len(coming) == 8


def test_an_amount_is_what_a_long_of_ten_thousand_dollars_pays() -> None:
    one = market(hourly_rate=1.25e-5, interval_hours=8.0)
    shot = snapshot(one)
    assert payments(asset(shot, "BTC", "crypto"), shot)[0].amount_usd == pytest.approx(1.0)
    shot = snapshot(one._replace(hourly_rate=-hourly_rate(10.95)))
    assert payments(asset(shot, "BTC", "crypto"), shot)[0].amount_usd == pytest.approx(-1.0)


def test_a_time_that_has_passed_has_been_followed_by_the_next() -> None:
    for late, coming in ((0, 8), (1, 8), (8 * HOUR, 16), (9 * HOUR, 16)):
        old = market(interval_hours=8.0, next_funding_time=NOW - late)
        shot = snapshot(old)
        first = payments(asset(shot, "BTC", "crypto"), shot)[0]
        assert first.time == NOW - late + coming * HOUR


def test_continuous_funding_comes_last_and_without_a_time() -> None:
    shot = snapshot(market(exchange="paradex", next_funding_time=None), market())
    coming = payments(asset(shot, "BTC", "crypto"), shot)
    assert [(one.exchange, one.time is None) for one in coming][-2:] == [
        ("lighter", False),
        ("paradex", True),
    ]


def test_what_is_not_known_is_no_payment() -> None:
    shot = snapshot(market(apr=None), market(exchange="binance", interval_hours=None))
    assert payments(asset(shot, "BTC", "crypto"), shot) == []
    assert "No payment is known yet." in "".join(text for text, _ in lines([], Words(), NOW, 40)[1])


def test_the_ledger_says_when_where_and_how_much() -> None:
    stale = market(exchange="binance", hourly_rate=1.25e-5)
    shot = snapshot(
        market(interval_hours=1.0, hourly_rate=-1.25e-5, next_funding_time=NOW + 40 * 60),
        stale,
        market(exchange="paradex", hourly_rate=2.5e-5, next_funding_time=None),
        trust={stale.market_id: Trust(False, STALE)},
    )
    coming = payments(asset(shot, "BTC", "crypto"), shot)
    narrow = ["".join(text for text, _ in line) for line in lines(coming, Words(), NOW, 33)]
    assert narrow[:3] == [
        "UTC         exchange        $/10k",
        "12-03 01:00 binance      (+1.000)",
        "12-03 01:00 lighter        -0.125",
    ]
    assert narrow[-1] == "per 8 h     paradex        +2.000"
    wide = ["".join(text for text, _ in line) for line in lines(coming, Words(), NOW, 50)]
    assert wide[2].split() == ["12-03", "01:00", "lighter", "40", "min", "1", "h", "-0.125"]
