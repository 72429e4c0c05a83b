"""One asset on all exchanges: which markets it is, what they paid, what comes next."""

import pytest

from fundwatch.answers.trust import STALE, Trust
from fundwatch.models import HOUR, Window, hourly_rate
from fundwatch.storage.queries import SettlementRow
from fundwatch.tui.rows.detail_rows import (
    Statistics,
    asset,
    columns,
    gaps,
    payments,
    rows,
    series,
    set_aside,
    statistics,
)
from fundwatch.tui.rows.ledger import Page, lines
from fundwatch.tui.words import Words
from tests.tui.markets import NOW, market, snapshot, texts

END = NOW - 20 * 60
DAY = Window(END - 24 * HOUR, END)


def drawn(page: Page, width: int, height: int = 30) -> list[str]:
    """The ledger up to the pairs, or all of it where there are some."""
    text = ["".join(part for part, _ in line).rstrip() for line in lines(page, width, height)]
    return text if page.gaps or not page.payments else text[: text.index("")]


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
    said = "  ".join("".join(text for text, _ in item) for item in set_aside(found, Words()))
    assert said == "set aside  paradex BB-paradex -43.80 its price is another"
    assert set_aside(asset(snapshot(market()), "BTC", "crypto"), Words()) == []


def test_statistics_are_over_hours_and_in_apr() -> None:
    figures = statistics([paid(8, 8e-5, 8.0), paid(0, -1.6e-4, 8.0)], DAY)
    assert figures.mean == pytest.approx(-4.38)
    assert figures.lowest == pytest.approx(-17.52)
    assert figures.highest == pytest.approx(8.76)
    assert figures.deviation == pytest.approx(13.14)
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
    (row,) = rows(found, shot, Words(), {one.market_id: Statistics(8.0, -1.0, 20.0, 3.5, 0.995, 0.4)})
    shown = dict(zip(keys, texts(row), strict=True))
    assert (shown["now"], shown["mean"], shown["lowest"], shown["highest"]) == (
        "+10.95",
        "(+8.00)",
        "-1.00",
        "+20.00",
    )
    assert (shown["positive"], shown["coverage"], shown["deviation"]) == ("99", "40", "3.50")
    assert isinstance(row.sort, tuple)
    assert len(row.sort) == len(row.cells)
    (unread,) = rows(found, shot, Words())
    assert dict(zip(keys, texts(unread), strict=True))["mean"] == "-"


def test_each_exchange_pays_once_on_its_own_clock_the_next_to_come_on_top() -> None:
    slow = market(exchange="binance", interval_hours=4.0, next_funding_time=NOW + 90 * 60)
    hourly = market(exchange="lighter", interval_hours=1.0, next_funding_time=NOW + 60)
    second = market(exchange="lighter", symbol="BTC2", interval_hours=1.0, volume_24h_usd=1.0)
    shot = snapshot(slow, hourly, second)
    coming = payments(asset(shot, "BTC", "crypto"), shot)
    assert [(one.exchange, one.time) for one in coming] == [
        ("lighter", NOW + 60),
        ("binance", NOW + 90 * 60),
    ]


def test_amounts_for_eight_hours_compare_exchanges_with_different_clocks() -> None:
    markets = [
        market(exchange=name, interval_hours=hours)
        for name, hours in (("lighter", 1.0), ("binance", 4.0), ("variational", 8.0))
    ]
    shot = snapshot(*markets)
    coming = payments(asset(shot, "BTC", "crypto"), shot)
    assert [one.eight_hours_usd for one in coming] == pytest.approx([1.0] * 3)
    assert sorted(one.amount_usd for one in coming) == pytest.approx([0.125, 0.5, 1.0])


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
    assert "No payment is known yet." in drawn(Page(), 40)[2]


def test_the_ledger_says_when_where_and_how_much() -> None:
    stale = market(exchange="binance", hourly_rate=1.25e-5)
    shot = snapshot(
        market(interval_hours=1.0, hourly_rate=-1.25e-5, next_funding_time=NOW + 40 * 60),
        stale,
        market(exchange="paradex", hourly_rate=2.5e-5, next_funding_time=None),
        trust={stale.market_id: Trust(False, STALE)},
    )
    page = Page(payments(asset(shot, "BTC", "crypto"), shot), now=NOW)
    assert drawn(page, 37) == [
        "A long of $10,000 pays next, in $",
        "exchange        in  payment  per 8 h",
        "binance     40 min (+1.000) (+1.000)",
        "lighter     40 min   -0.125   -1.000",
        "paradex          -        -   +2.000",
    ]
    wide = drawn(page, 57)
    assert wide[1].split() == ["UTC", "exchange", "in", "pays", "payment", "per", "8", "h"]
    assert wide[3].split() == ["12-03", "01:00", "lighter", "40", "min", "1", "h", "-0.125", "-1.000"]
    assert wide[4].split() == ["always", "paradex", "-", "cont", "-", "+2.000"]


def test_no_amount_is_wider_than_its_column() -> None:
    far = market(hourly_rate=0.1, interval_hours=8.0)
    shot = snapshot(far, trust={far.market_id: Trust(False, STALE)})
    page = Page(payments(asset(shot, "BTC", "crypto"), shot), now=NOW)
    assert drawn(page, 37)[2] == "lighter     40 min (+8,000) (+8,000)"


def test_every_two_exchanges_that_differ_are_a_pair_the_widest_first() -> None:
    rows = [
        market(exchange="lighter", apr=30.0),
        market(exchange="binance", apr=10.0),
        market(exchange="variational", apr=10.0),
    ]
    stale = market(exchange="paradex", apr=900.0)
    shot = snapshot(*rows, stale, trust={stale.market_id: Trust(False, STALE)})
    figures = {
        rows[0].market_id: Statistics(5.0, coverage=1.0),
        rows[1].market_id: Statistics(8.0, coverage=1.0),
    }
    found = gaps(asset(shot, "BTC", "crypto"), shot, figures)
    assert [(one.long, one.short, round(one.now, 2), one.paid) for one in found] == [
        ("binance", "lighter", 20.0, -3.0),
        ("variational", "lighter", 20.0, None),
    ]
    shown = drawn(Page(gaps=found, over="7d", now=NOW), 57)
    assert shown[-4:] == [
        "Pairs now, before costs",
        "long        short           APR %      7d %",
        "binance     lighter        +20.00     -3.00",
        "variational lighter        +20.00         -",
    ]
    assert drawn(Page(gaps=found, now=NOW), 57, height=6)[-1] == "No payment is known yet."
    assert drawn(Page(now=NOW), 57)[-1] == "No two exchanges differ."
