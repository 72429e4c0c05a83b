"""The overview's rows: which market, how much, and whether it is to be relied on."""

from fundwatch.answers.trust import LOW_COVERAGE, Trust
from fundwatch.storage.queries import MarketRow
from fundwatch.tui.rows.overview_rows import highest, pair_columns, pair_rows, top_columns, top_row
from fundwatch.tui.rows.spread_rows import pairs
from fundwatch.tui.tables.columns import Row
from fundwatch.tui.words import Words
from tests.tui.markets import market, snapshot, texts
from tests.tui.rows.test_spread_rows import spread

OK, STALE = Trust(True, None), Trust(False, "stale")


def text(row: Row, column: str) -> str:
    return texts(row)[[c.key for c in top_columns(Words(), "now")].index(column)]


def row(one: MarketRow, trust: Trust = OK) -> Row:
    return top_row(one, snapshot(one, trust={one.market_id: trust}), Words(), {}, "▅▅")


def test_a_window_known_to_an_hour_is_in_parentheses_like_an_untrusted_rate() -> None:
    assert text(row(market(apr_24h=2204.68, coverage_24h=1 / 24)), "24h") == "(+2,205)"
    assert text(row(market(apr_24h=12.5, coverage_24h=1.0)), "24h") == "+12.50"
    assert text(row(market(apr=12.5), STALE), "now") == "(+12.50)"


def test_too_few_known_hours_do_not_make_the_rate_of_now_doubtful() -> None:
    thin = row(market(apr=12.5), Trust(False, LOW_COVERAGE))
    assert text(thin, "now") == "+12.50"
    assert thin.style == ""


def test_what_is_in_parentheses_sorts_last() -> None:
    index = [c.key for c in top_columns(Words(), "now")].index("24h")
    assert row(market(apr_24h=2204.68, coverage_24h=0.1)).value(index) is None


def test_a_market_tells_interval_next_payment_interest_age_and_marks() -> None:
    one = row(market(session_open=0, open_interest_usd=2.34e7))
    told = {key: text(one, key) for key in ("pays", "next", "interest", "age", "note", "spark")}
    assert told == {
        "pays": "8 h", "next": "40 min", "interest": "23.4", "age": "30 s", "note": "c", "spark": "▅▅",
    }  # fmt: skip


def test_a_name_says_more_than_the_ticker_where_that_is_not_enough() -> None:
    one = market()
    told = top_row(one, snapshot(one), Words(), {one.market_id: "BTC USDC"}, "")
    assert text(told, "asset") == "BTC USDC"


def test_the_highest_are_found_by_any_of_their_names() -> None:
    crypto, stock = market("BB"), market("BB", "binance", asset_class="equity")
    now = snapshot(crypto, stock)
    assert highest(now, Words(), "bb equity")[0] == [stock]
    assert len(highest(now, Words(), "bb")[0]) == 2


def test_doubtful_rates_come_after_the_others_whatever_their_size() -> None:
    thin, small = market(apr=900.0, coverage_24h=0.1), market(apr=1.0)
    assert highest(snapshot(thin, small, window="24h"), Words(), "")[0] == [small, thin]


def pair_texts(window: str, *, trusted: bool = True, apr_7d: float | None = 30.0) -> dict[str, str]:
    long, short = market("SOL", "paradex", -10.0), market("SOL", "lighter", 20.0, apr_7d=apr_7d)
    now = snapshot(long, short, window=window, spreads=(spread(apr=689.57, window=window, trusted=trusted),))
    (found,) = pair_rows(pairs(now), now, Words())
    keys = [column.key for column in pair_columns(Words(), window, 168.0)]
    return dict(zip(keys, texts(found), strict=True))


def test_a_pair_tells_a_week_beside_now_and_now_beside_a_week() -> None:
    assert pair_texts("now")["beside"] == "+40.00"
    assert pair_texts("7d")["beside"] == "+30.00"
    assert pair_texts("now", apr_7d=None)["beside"] == "-"


def test_an_untrusted_pair_is_in_parentheses() -> None:
    assert pair_texts("now")["spread"] == "+689.57"
    assert pair_texts("now", trusted=False)["spread"] == "(+689.57)"


def test_pairs_of_one_ticker_and_two_classes_say_which() -> None:
    found = (spread("BB"), spread("BB", asset_class="equity"), spread("SOL"))
    now = snapshot(spreads=found)
    assert [r.cells[0] for r in pair_rows(pairs(now), now, Words())] == ["BB crypto", "BB equity", "SOL"]


def test_headings_name_the_unit() -> None:
    dollars = Words(unit="dollars")
    assert [c.heading for c in pair_columns(dollars, "now", 168.0)][3:6] == ["now $", "7d $", "net $"]
