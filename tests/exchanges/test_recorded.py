"""Real answers of the seven exchanges, where a folder of them lies beside the checkout.

`FUNDWATCH_RECORDED` names another folder. What the documents say in a single number is tested everywhere.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from math import isclose
from pathlib import Path

import pytest

from fundwatch.analytics.unit_check import modal_apr
from fundwatch.exchanges import lighter_units, paradex_answers, variational
from fundwatch.exchanges.decode import BadNumber
from fundwatch.models import HOUR, apr_percent
from tests.exchanges.recordings.file import File
from tests.exchanges.recordings.history import binance_table, hyperliquid_table
from tests.exchanges.recordings.raw import Values, at, loaded
from tests.exchanges.recordings.reading import Reading
from tests.exchanges.recordings.table import FOLDERS, TABLE

BESIDE = Path(__file__).parents[3] / "shared" / "recorded"
RECORDED = Path(os.environ.get("FUNDWATCH_RECORDED") or BESIDE)

needs_recorded = pytest.mark.skipif(
    not RECORDED.is_dir(),
    reason="no recorded answers beside the checkout, and FUNDWATCH_RECORDED names none",
)


def every(wanted: Callable[[File], object]) -> pytest.MarkDecorator:
    files = [file for file in TABLE if wanted(file)]
    return pytest.mark.parametrize("file", files, ids=lambda file: file.path)


@cache
def content(path: str) -> bytes:
    return (RECORDED / path).read_bytes()


@cache
def reading(path: str) -> Reading:
    [read] = [file.read for file in TABLE if file.path == path]
    assert read is not None
    return read(content(path))


def wrong(values: Values, expected: Iterable[tuple[str, float | None]]) -> list[str]:
    """What of `expected` is missing in `values` or not equal to twelve digits."""
    missing = object()
    found = []
    for key, number in expected:
        value = values.get(key, missing)
        same = value == number or (
            isinstance(value, float | int) and number is not None and isclose(value, number, rel_tol=1e-12)
        )
        if not same:
            found.append(f"{key}: {'missing' if value is missing else value} instead of {number}")
    return found


@needs_recorded
def test_the_table_names_every_file_once() -> None:
    recorded = (path for folder in FOLDERS for path in (RECORDED / folder).rglob("*") if path.is_file())
    assert sorted(file.path for file in TABLE) == sorted(
        path.relative_to(RECORDED).as_posix() for path in recorded
    )


def test_the_table_says_of_every_file_what_becomes_of_it() -> None:
    for file in TABLE:
        assert file.endpoint
        assert file.read or file.uncalled or file.opinion, file.path
        assert bool(file.refused) == bool(file.reason), file.path
        assert bool(file.opinion) == bool(file.of), file.path
        if file.read:
            assert file.raw or file.literal or file.refused, f"{file.path} expects nothing"


@needs_recorded
@every(lambda file: file.read)
def test_it_gives_so_many_markets_rates_and_refusals(file: File) -> None:
    found = reading(file.path)
    known = sum(rate is not None for rate in found.rates.values())
    assert (found.markets, found.closed) == (file.markets, file.closed)
    assert (known, len(found.rates) - known) == (file.rates, file.unknown)
    assert len(found.refused) == file.refused
    assert [reason for reason in found.refused if file.reason not in reason] == []


@needs_recorded
@every(lambda file: file.raw)
def test_every_rate_is_the_raw_number_in_its_documented_unit(file: File) -> None:
    assert file.raw is not None
    expected = file.raw(loaded(file.path, content(file.path)))
    found = reading(file.path)
    assert wrong(found.values, expected.items()) == []
    assert found.rates.keys() <= expected.keys()


@needs_recorded
@every(lambda file: file.literal)
def test_it_gives_the_literal_numbers(file: File) -> None:
    assert wrong(reading(file.path).values, file.literal.items()) == []


@needs_recorded
@every(lambda file: file.modal_apr_percent)
def test_its_most_frequent_rate_is_the_resting_one(file: File) -> None:
    mode = modal_apr(rate for rate in reading(file.path).rates.values() if rate is not None)
    assert mode is not None
    assert mode.apr_percent == pytest.approx(file.modal_apr_percent)


@needs_recorded
@every(lambda file: file.hours)
def test_its_payments_cover_so_many_hours(file: File) -> None:
    hours = {value for key, value in reading(file.path).figures.items() if key.endswith(" hours")}
    assert hours - {None} == file.hours


@needs_recorded
@every(lambda file: file.uncalled)
def test_an_answer_that_nobody_asks_for_is_refused_whole(file: File) -> None:
    assert file.uncalled is not None
    with pytest.raises(file.uncalled.error) as refusal:
        file.uncalled.ask(content(file.path))
    assert file.uncalled.words in refusal.value.message


@needs_recorded
@every(lambda file: file.opinion)
def test_others_make_the_same_of_it(file: File) -> None:
    assert file.opinion is not None
    theirs = file.opinion(loaded(file.path, content(file.path)))
    assert theirs
    assert wrong(reading(file.of).values, theirs.items()) == []


def paid(path: str, symbol: str) -> list[float]:
    """What was paid from 2026-01-15 00:00 (left out) to 2026-03-20 00:00."""
    figures = reading(path).figures
    times = (at(symbol, time) for time in range(1768435200 + HOUR, 1773964800 + HOUR, HOUR))
    return [rate for time in times if (rate := figures.get(f"{time} paid")) is not None]


@needs_recorded
@pytest.mark.parametrize(
    ("coin", "hyperliquid", "binance", "carry", "apr"),
    [
        ("BTC", "0.00402403", "0.00117637", "+0.00284766", "+1.6241 %"),
        ("ETH", "0.00596444", "-0.00202917", "+0.00799361", "+4.5589 %"),
        ("SOL", "-0.01715883", "-0.01250412", "-0.00465471", "-2.6546 %"),
    ],
)
def test_64_days_sum_to_the_reference(
    coin: str, hyperliquid: str, binance: str, carry: str, apr: str
) -> None:
    hourly = paid(hyperliquid_table(coin), coin)
    every_8_hours = paid(binance_table(coin), f"{coin}USDT")
    difference = sum(hourly) - sum(every_8_hours)
    assert (len(hourly), len(every_8_hours)) == (64 * 24, 64 * 3)
    assert (f"{sum(hourly):.8f}", f"{sum(every_8_hours):.8f}") == (hyperliquid, binance)
    assert f"{difference:+.8f}" == carry
    assert f"{apr_percent(difference / 64 / 24):+.4f} %" == apr


@needs_recorded
@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("history/hyperliquid_2026_rishisidhu__HYPE_funding_history.csv", hyperliquid_table("BTC"), 960),
        (
            "hyperliquid/fundingHistory_BTC_start-end__hl-python-sdk.json",
            "hyperliquid/fundingHistory_BTC_open-end__hl-python-sdk.json",
            34,
        ),
    ],
)
def test_two_who_asked_the_same_venue_have_the_same_rates(one: str, other: str, shared: int) -> None:
    first, second = reading(one).rates, reading(other).rates
    common = first.keys() & second.keys()
    assert len(common) == shared
    assert wrong(first, ((key, second[key]) for key in common)) == []


@needs_recorded
def test_a_history_with_holes_keeps_them() -> None:
    rates = reading("history/yuchengzhang__hl_BTC_funding_rates.json").rates
    hours = [at("BTC", time) in rates for time in range(1704067200, 1766962800 + HOUR, HOUR)]
    assert sum(before and not here for before, here in pairwise(hours)) == 25


def test_lighter_s_unsigned_percent_takes_its_sign_from_the_direction() -> None:
    hourly = lighter_units.rate_from_fundings(0.0012, "short")
    assert hourly == pytest.approx(-0.000012)
    assert apr_percent(hourly) == pytest.approx(-10.512)
    assert lighter_units.hourly_rate_from_funding_rates(-0.000096) == pytest.approx(hourly)
    with pytest.raises(BadNumber):
        lighter_units.rate_from_fundings(0.0012, "")


def test_paradex_s_hourly_market_is_not_divided_by_eight() -> None:
    assert round(paradex_answers.hourly_rate("0.00001250176896", 1), 10) == 0.0000125018


def test_variational_s_rate_is_a_fraction_per_year() -> None:
    assert apr_percent(variational.hourly_rate("0.0912")) == pytest.approx(9.12)
