"""The readers that Binance and Aster share, fed with what should never come."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.exchanges import aster, binance
from fundwatch.exchanges.errors import Drift
from fundwatch.exchanges.fapi import Terms, TermsBook, milliseconds
from fundwatch.exchanges.fapi_payments import Page, Reading
from fundwatch.models import HOUR, Kind, Refusal, Settlement, Window
from tests.exchanges.fapi_venue import NOON, body

STRANGE = [
    None,
    "",
    " ",
    "NaN",
    "Infinity",
    "-inf",
    "0x10",
    "1,5",
    "1_0",
    True,
    [],
    {},
    [[["1"]]],
    {"a": {"b": 1}},
    "9" * 400,
    10**30,
    -(10**30),
    "٠.٥",
]
"""What no field with a rate, a price or a time may be taken from."""

PREMIUM = {
    "symbol": "BTCUSDT",
    "markPrice": "60000.0",
    "indexPrice": "60010.0",
    "lastFundingRate": "0.00010000",
    "nextFundingTime": (NOON + 4 * HOUR) * 1000,
    "time": NOON * 1000,
}
PAYMENT = {"symbol": "BTCUSDT", "fundingTime": NOON * 1000 + 5, "fundingRate": "0.00010000"}
FIELDS = [
    "symbol",
    "markPrice",
    "indexPrice",
    "lastFundingRate",
    "nextFundingTime",
    "time",
    "fundingTime",
    "fundingRate",
    "rateType",
    "fundingIntervalHours",
    "status",
    "contractType",
    "baseAsset",
    "quoteAsset",
    "underlyingType",
    "underlyingSubType",
    "name",
    "onboardDate",
    "deliveryDate",
    "quoteVolume",
    "adjustedFundingRateCap",
    "adjustedFundingRateFloor",
    "fundingFeeCap",
    "fundingFeeFloor",
]
EIGHT_HOURS = TermsBook({"BTCUSDT": Terms(8.0, None)})

PARSERS: list[Callable[[bytes], object]] = [
    binance.parse_markets,
    binance.parse_terms,
    binance.parse_volumes,
    lambda b: binance.parse_quotes(b, ["BTCUSDT"], TermsBook({}), {}, NOON),
    lambda b: binance.parse_page(b, NOON),
    aster.parse_markets,
    aster.parse_terms,
    aster.parse_volumes,
    lambda b: aster.parse_quotes(b, ["BTCUSDT"], TermsBook({}), {}, NOON),
    lambda b: aster.parse_page(b, NOON),
]


@pytest.mark.parametrize("value", STRANGE, ids=repr)
@pytest.mark.parametrize("parse", [binance.parse_quotes, aster.parse_quotes])
def test_a_rate_that_is_none_is_refused_by_name_and_never_zero(parse: Any, value: Any) -> None:
    quotes = parse(body([PREMIUM | {"lastFundingRate": value}]), ["BTCUSDT"], EIGHT_HOURS, {}, NOON)
    assert quotes.quotes == ()
    assert [refusal.symbol for refusal in quotes.refused if refusal.symbol != "?"] == ["BTCUSDT"]


@pytest.mark.parametrize("value", STRANGE, ids=repr)
@pytest.mark.parametrize("parse", [binance.parse_page, aster.parse_page])
@pytest.mark.parametrize("field", ["fundingRate", "fundingTime"])
def test_a_payment_with_a_malformed_field_is_refused_and_the_next_is_taken(
    parse: Any, field: str, value: Any
) -> None:
    page = parse(body([PAYMENT | {field: value}, PAYMENT | {"symbol": "ETHUSDT"}]), NOON)
    assert [row.symbol for row in page.rows] == ["ETHUSDT"]
    assert len(page.refused) == 1


@pytest.mark.parametrize("value", [value for value in STRANGE if value != 10**30], ids=repr)
def test_a_malformed_price_is_none_and_costs_no_rate(value: Any) -> None:
    rows = body([PREMIUM | {"markPrice": value, "indexPrice": value}])
    parsed = binance.parse_quotes(rows, ["BTCUSDT"], EIGHT_HOURS, {}, NOON)
    quote = parsed.quotes[0]
    assert (quote.mark_price, quote.index_price) == (None, None)
    assert quote.hourly_rate == pytest.approx(0.0000125)


@pytest.mark.parametrize("value", STRANGE, ids=repr)
@pytest.mark.parametrize("parse", [binance.parse_quotes, aster.parse_quotes])
def test_an_interval_that_is_none_is_unknown_and_never_eight_hours(parse: Any, value: Any) -> None:
    module = binance if parse is binance.parse_quotes else aster
    terms = module.parse_terms(body([{"symbol": "BTCUSDT", "fundingIntervalHours": value}]))
    quotes = parse(body([PREMIUM]), ["BTCUSDT"], terms, {}, NOON)
    assert quotes.quotes == ()
    assert Refusal("BTCUSDT", "the funding interval is unknown") in quotes.refused


@pytest.mark.parametrize("parse", PARSERS)
@given(
    rows=st.lists(
        st.dictionaries(
            st.sampled_from(FIELDS),
            st.recursive(
                st.sampled_from([*STRANGE, "BTCUSDT", "BTC", "USDT", "PERPETUAL", "TRADING", "0.0001", 8])
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(st.characters(exclude_categories=["Cs"])),
                lambda inner: st.lists(inner, max_size=2),
                max_leaves=3,
            ),
        )
        | st.none()
        | st.integers()
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
        max_size=4,
    )
)
def test_no_row_whatever_is_in_it_brings_a_reader_down(
    parse: Callable[[bytes], object], rows: list[Any]
) -> None:
    document = msgspec.json.encode({"symbols": rows}) if "parse_markets" in repr(parse) else body(rows)
    parse(document)


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "document", [b"", b"{", b'"x"', b"null", b"3", b'{"data": []}', b"[" * 5000, b"\xff"]
)
def test_a_wrong_envelope_is_drift(parse: Callable[[bytes], object], document: bytes) -> None:
    with pytest.raises(Drift):
        parse(document)


@pytest.mark.parametrize("symbol", [None, 5, "", "BTC USDT", "BTC\x1b[31m", "B" * 65, ["BTCUSDT"]])
def test_a_payment_without_a_readable_symbol_is_refused(symbol: Any) -> None:
    page = binance.parse_page(body([PAYMENT | {"symbol": symbol}]), NOON)
    assert page.rows == ()
    assert page.nameless == 1
    assert "\x1b" not in page.refused[0].symbol


def test_symbols_of_any_script_are_taken() -> None:
    page = binance.parse_page(body([PAYMENT | {"symbol": "币安人生USDT"}]), NOON)
    assert page.rows[0].symbol == "币安人生USDT"


@pytest.mark.parametrize(
    ("late_ms", "taken"),
    [(0, True), (11, True), (-59_000, True), (899_000, True), (-61_000, False), (901_000, False)],
)
def test_a_stamp_means_the_full_hour_it_lies_at(late_ms: int, taken: bool) -> None:
    page = binance.parse_page(body([PAYMENT | {"fundingTime": NOON * 1000 + late_ms}]), NOON + HOUR)
    assert [row.funding_time for row in page.rows] == ([NOON] if taken else [])


@pytest.mark.parametrize("stamp", [NOON, NOON * 10**6, 0, -1, (NOON + HOUR) * 1000, NOON * 1000 + 0.5])
def test_a_time_in_another_unit_or_in_the_future_is_refused(stamp: float) -> None:
    page = binance.parse_page(body([PAYMENT | {"fundingTime": stamp}]), NOON)
    assert bool(page.rows) is (stamp == NOON * 1000 + 0.5)


def test_times_are_milliseconds_of_the_venues_life() -> None:
    assert milliseconds(NOON * 1000) == NOON * 1000
    assert milliseconds(4_133_404_800_000) is None
    assert milliseconds(str(NOON * 1000)) is None


def test_a_rate_beyond_ten_percent_per_hour_is_refused_and_an_extreme_below_is_kept() -> None:
    hourly = TermsBook({"BTCUSDT": Terms(1.0, None)})
    high = binance.parse_quotes(body([PREMIUM | {"lastFundingRate": "0.11"}]), ["BTCUSDT"], hourly, {}, NOON)
    kept = binance.parse_quotes(body([PREMIUM | {"lastFundingRate": "-0.09"}]), ["BTCUSDT"], hourly, {}, NOON)
    assert "absurd" in high.refused[0].reason
    assert kept.quotes[0].hourly_rate == -0.09


def test_a_listed_symbol_that_is_missing_is_refused_and_a_stranger_is_passed_over() -> None:
    quotes = binance.parse_quotes(
        body([PREMIUM, PREMIUM | {"symbol": "BTCUSDT_261225", "lastFundingRate": ""}]),
        ["BTCUSDT", "ETHUSDT"],
        EIGHT_HOURS,
        {"BTCUSDT": 5e9},
        NOON,
    )
    assert [(q.symbol, q.volume_24h_usd) for q in quotes.quotes] == [("BTCUSDT", 5e9)]
    assert quotes.refused == (Refusal("ETHUSDT", "listed, but missing in the answer"),)


@pytest.mark.parametrize("module", [binance, aster])
def test_a_market_listed_twice_is_refused_once(module: Any) -> None:
    row = {"symbol": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING"}
    row |= {"baseAsset": "BTC", "quoteAsset": "USDT"}
    listing = module.parse_markets(body({"symbols": [row, row | {"baseAsset": "BTCUSD"}]}))
    assert [(market.symbol, market.asset.ticker) for market in listing.markets] == [("BTCUSDT", "BTC")]
    assert listing.refused == (Refusal("BTCUSDT", "listed twice"),)


def test_what_a_market_is_quoted_in_is_told_without_control_characters() -> None:
    row = {"symbol": "BTCX", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "BTC"}
    [refusal] = binance.parse_markets(body({"symbols": [row | {"quoteAsset": "\x1b[2J\u202e" * 99}]})).refused
    assert refusal.reason.isprintable()
    assert len(refusal.reason) < 100


@pytest.mark.parametrize("parse", [binance.parse_quotes, aster.parse_quotes])
def test_a_symbol_with_two_different_rates_has_none(parse: Any) -> None:
    same = parse(body([PREMIUM, PREMIUM]), ["BTCUSDT"], EIGHT_HOURS, {}, NOON)
    assert len(same.quotes) == 1
    other = parse(
        body([PREMIUM, PREMIUM | {"lastFundingRate": "0.0002"}]), ["BTCUSDT"], EIGHT_HOURS, {}, NOON
    )
    assert other.quotes == ()
    assert other.refused == (Refusal("BTCUSDT", "twice in the answer, with different numbers"),)


@pytest.mark.parametrize("module", [binance, aster])
def test_a_symbol_with_two_different_intervals_has_none(module: Any) -> None:
    rows = [{"symbol": "BTCUSDT", "fundingIntervalHours": hours} for hours in (4, 8, 4)]
    quotes = module.parse_quotes(body([PREMIUM]), ["BTCUSDT"], module.parse_terms(body(rows)), {}, NOON)
    assert quotes.quotes == ()
    assert quotes.refused == (Refusal("BTCUSDT", "the funding interval is unknown"),)


def test_a_rate_of_zero_is_a_rate() -> None:
    quotes = aster.parse_quotes(
        body([PREMIUM | {"lastFundingRate": "0"}]), ["BTCUSDT"], EIGHT_HOURS, {}, NOON
    )
    assert quotes.quotes[0].hourly_rate == 0.0


def test_a_row_that_lags_behind_its_answer_is_as_old_as_it_says() -> None:
    names = ["AUSDT", "BUSDT", "CUSDT"]
    rows = [PREMIUM | {"symbol": n, "time": (NOON - 60) * 1000} for n in names]
    rows[0]["time"] = (NOON - 60 - 5 * HOUR) * 1000
    terms = TermsBook(dict.fromkeys(names, Terms(8.0, None)))
    quotes = binance.parse_quotes(body(rows), names, terms, {}, NOON).quotes
    assert [quote.observed_at for quote in quotes] == [NOON - 5 * HOUR, NOON, NOON]


@pytest.mark.parametrize("stamp", [0, NOON, (NOON - HOUR) * 1000, (NOON + 25 * HOUR) * 1000, "soon", None])
def test_a_next_funding_time_that_cannot_be_is_none(stamp: Any) -> None:
    rows = body([PREMIUM | {"nextFundingTime": stamp}])
    assert binance.parse_quotes(rows, ["BTCUSDT"], EIGHT_HOURS, {}, NOON).quotes[0].next_funding_time is None


def test_a_malformed_volume_is_none() -> None:
    rows = [{"symbol": f"{n}USDT", "quoteVolume": value} for n, value in enumerate([*STRANGE, "-1", "25.5"])]
    volumes = binance.parse_volumes(body(rows))
    assert volumes.pop(f"{len(STRANGE) + 1}USDT") == 25.5
    assert set(volumes.values()) <= {1e30}


def read(*rows: Settlement, lost: tuple[tuple[str, int | None], ...] = (), nameless: int = 0) -> Reading:
    reading = Reading(["BTCUSDT"])
    reading.add(Page(rows, (), len(rows), (), lost, nameless))
    return reading


def at(hour: int, kind: Kind = Kind.REGULAR) -> Settlement:
    return Settlement("BTCUSDT", NOON + hour * HOUR, 0.0001, None, kind)


def answered(reading: Reading, now_hour: float, start: int = -48, end: int = 0) -> list[tuple[float, float]]:
    window = Window(NOON + start * HOUR, NOON + end * HOUR)
    parts = reading.answer([("BTCUSDT", window)], NOON + now_hour * HOUR).answered
    return [((w.start - NOON) / HOUR, (w.end - NOON) / HOUR) for _, w in parts]


def test_hours_that_a_payment_to_come_may_cover_are_not_answered_yet() -> None:
    assert answered(read(at(-12), at(-4)), now_hour=0.5) == [(-48, -4)]
    assert answered(read(at(-12), at(-4)), now_hour=5) == [(-48, 0)]


def test_a_special_payment_does_not_end_an_interval() -> None:
    assert answered(read(at(-4), at(-1, Kind.SPECIAL)), now_hour=0.5) == [(-48, -4)]


def test_the_interval_of_a_refused_payment_stays_open() -> None:
    reading = read(at(-20), at(-12), lost=(("BTCUSDT", NOON - 16 * HOUR), ("ETHUSDT", NOON - 30 * HOUR)))
    assert answered(reading, now_hour=9) == [(-48, -20), (-16, 0)]


def test_nothing_is_answered_for_a_market_with_a_payment_of_no_known_time() -> None:
    assert answered(read(at(-4), lost=(("BTCUSDT", None),)), now_hour=9) == []
    assert answered(read(at(-4), nameless=1), now_hour=9) == []


def test_a_late_payment_of_the_last_hour_is_waited_for() -> None:
    assert answered(read(at(-9)), now_hour=0.1) == [(-48, -1)]
