"""What venues really paid, served again: every sum of every window is the one that the files contain."""

import csv
import json
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from math import fsum
from pathlib import Path
from typing import NamedTuple

import pytest

from fundwatch.analytics.windows import WINDOWS
from fundwatch.answers.history import history
from fundwatch.answers.top import Rate, top
from fundwatch.collector.backfill import Job
from fundwatch.models import HOUR
from tests.collector.past import Line, Office
from tests.collector.scripted import NOON, HandClock, open_ledger
from tests.exchanges.fapi_venue import FakeVenue
from tests.exchanges.test_recorded import RECORDED
from tests.rigs.replay import Collected, Hyperliquid, Paid, collected

FILES = RECORDED / "history"
LAUNCH = RECORDED / "hyperliquid/fundingHistory_BTC_open-end__hl-python-sdk.json"
needs_files = pytest.mark.skipif(not FILES.is_dir(), reason=f"the recorded history is not there: {FILES}")
needs_launch = pytest.mark.skipif(not LAUNCH.is_file(), reason=f"the recorded answer is not there: {LAUNCH}")

HOURLY_AGAIN = datetime(2023, 6, 8, tzinfo=UTC).timestamp()
"""The last payment for 8 hours."""
DAY = 24 * HOUR


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


# What the files say, read without any code of ours


class Truth(NamedTuple):
    """The fraction paid and its hours, by the full hour (UTC seconds)."""

    paid: Mapping[int, tuple[float, float]]

    def window(self, end: int, hours: int) -> tuple[float, float] | None:
        """(APR percent, hours known) of (end - hours, end]; None where nothing was paid."""
        inside = [row for time, row in self.paid.items() if end - hours * HOUR < time <= end]
        known = fsum(length for _, length in inside)
        return (fsum(rate for rate, _ in inside) / known * 24 * 365 * 100, known) if inside else None


def truth(rows: Iterable[Paid]) -> Truth:
    """A stamp up to a quarter of an hour late belongs to its hour; one that is later belongs to none."""
    paid: dict[int, tuple[float, float]] = {}
    for time_ms, rate in rows:
        hour = (time_ms + 60_000) // 3_600_000 * HOUR
        if time_ms - hour * 1000 <= 900_000:
            assert hour not in paid
            paid[hour] = float(rate), 8.0 if hour <= HOURLY_AGAIN else 1.0
    return Truth(paid)


def table(coin: str) -> list[Paid]:
    with (FILES / f"hyperliquid_2026_namanhzz__{coin}_1h.csv").open(newline="") as lines:
        return [Paid(int(row["time_ms"]), row["funding_rate"]) for row in csv.DictReader(lines)]


def hype() -> list[Paid]:
    with (FILES / "hyperliquid_2026_rishisidhu__HYPE_funding_history.csv").open(newline="") as lines:
        return [
            Paid(round(datetime.fromisoformat(row["time"]).timestamp() * 1000), row["funding_rate"])
            for row in csv.DictReader(lines)
            if row["coin"] == "HYPE"
        ]


def two_years() -> list[Paid]:
    rows = json.loads((FILES / "yuchengzhang__hl_BTC_funding_rates.json").read_bytes())
    return [Paid(row["time"], row["funding_rate"]) for row in rows]


def launch() -> list[Paid]:
    return [Paid(row["time"], row["fundingRate"]) for row in json.loads(LAUNCH.read_bytes())]


@asynccontextmanager
async def replayed(
    folder: Path, rows: Mapping[str, list[Paid]], now: int, days: int
) -> AsyncIterator[tuple[Collected, Hyperliquid]]:
    """Swept as at `now`, and backfilled for `days`."""
    venue = Hyperliquid(rows)
    async with collected(folder, "hyperliquid", venue, now) as at_work:
        await at_work.collector.once(hours=24, limit=None)
        outcomes = await at_work.collector.backfill(Job(1, days, ("hyperliquid",)))
        assert outcomes["hyperliquid"].word != "error", outcomes["hyperliquid"].error
        yield at_work, venue


def answers(at_work: Collected, now: float) -> dict[tuple[str, str], Rate]:
    """What `top` says at `now`, by symbol and window."""
    with at_work.read() as db:
        return {
            (rate.symbol, window): rate
            for window in WINDOWS
            for rate in top(db, now, window=window, limit=None, stale_after_seconds=1e9)
        }


def compare(at_work: Collected, truths: Mapping[str, Truth], ends: Iterable[int]) -> int:
    """Every asset and window that ends at `ends` against the file; how many that were."""
    compared = 0
    for end in ends:
        found = answers(at_work, end + 16 * 60)
        for symbol, file in truths.items():
            for window, hours in WINDOWS.items():
                expected, answer = file.window(end, hours), found.get((symbol, window))
                if expected is None:
                    assert answer is None, (symbol, window, end)
                    continue
                assert answer is not None, (symbol, window, end)
                apr, known = expected
                assert answer.apr_percent == pytest.approx(apr, rel=1e-9, abs=1e-9), (symbol, window, end)
                assert answer.coverage == pytest.approx(min(1.0, known / hours)), (symbol, window, end)
                compared += 1
    return compared


@needs_files
async def test_half_a_year_of_hyperliquid_has_the_sums_of_its_files(tmp_path: Path) -> None:
    rows = {coin: table(coin) for coin in ("BTC", "ETH", "SOL")} | {"HYPE": hype()}
    truths = {coin: truth(payments) for coin, payments in rows.items()}
    last = at(2026, 7, 31, 23)
    async with replayed(tmp_path, rows, last + 20 * 60, 198) as (at_work, venue):
        for coin, file in truths.items():
            assert at_work.stored(coin) == file.paid
        ends = [last, *(last - days * DAY - days % 5 * HOUR for days in range(3, 196, 8))]
        assert compare(at_work, truths, ends) > 300
        with at_work.read() as db:
            [series] = history(db, "ETH", last + 20 * 60, days=64).series
        told = {row.funding_time: row.rate for row in series.settlements}
        start = last + 20 * 60 - 64 * DAY
        assert told == {time: rate for time, (rate, _) in truths["ETH"].paid.items() if time > start}
        pages = [asked for asked in venue.asked if asked["type"] == "fundingHistory"]
        assert len(pages) < 70, "an hour is asked for once"


@needs_files
async def test_the_sums_of_64_days_are_those_that_others_computed(tmp_path: Path) -> None:
    """Reference figures of 2026-01-15 to 2026-03-20, sums of signed rates."""
    rows = {coin: table(coin) for coin in ("BTC", "ETH", "SOL")}
    start, end = at(2026, 1, 15), at(2026, 3, 20)
    async with replayed(tmp_path, rows, end + 20 * 60, 65) as (at_work, _):
        for coin, total in (("BTC", 0.00402403), ("ETH", 0.00596444), ("SOL", -0.01715883)):
            paid = [rate for time, (rate, _) in at_work.stored(coin).items() if start < time <= end]
            assert len(paid) == 1536
            assert fsum(paid) == pytest.approx(total, abs=5e-9)


@needs_files
async def test_two_years_with_holes_of_ten_days_have_the_sums_of_what_is_there(tmp_path: Path) -> None:
    rows = {"BTC": two_years()}
    truths = {"BTC": truth(rows["BTC"])}
    last = max(truths["BTC"].paid)
    async with replayed(tmp_path, rows, last + 20 * 60, 730) as (at_work, _):
        assert at_work.stored("BTC") == truths["BTC"].paid
        ends = [last - days * DAY for days in range(0, 720, 9)]
        assert compare(at_work, truths, ends) > 200


@needs_launch
async def test_the_days_of_eight_hours_and_a_payment_24_minutes_late(tmp_path: Path) -> None:
    """The late one is refused by name, its hours stay a hole; what is paid for 8 hours weighs 8 hours."""
    rows = {"BTC": launch()}
    truths = {"BTC": truth(rows["BTC"])}
    late, turn, last = at(2023, 5, 23, 8), at(2023, 6, 8), max(truths["BTC"].paid)
    assert len(truths["BTC"].paid) == len(rows["BTC"]) - 1
    async with replayed(tmp_path, rows, last + 20 * 60, 68) as (at_work, _):
        stored = at_work.stored("BTC")
        assert stored == truths["BTC"].paid
        assert late not in stored
        assert {stored[turn][1], stored[turn + HOUR][1]} == {8.0, 1.0}
        ends = [*range(late - 16 * HOUR, late + 40 * HOUR, 8 * HOUR), *range(turn - DAY, last, 17 * HOUR)]
        assert compare(at_work, truths, ends) > 200
        assert at_work.ledger.writer.value("SELECT SUM(refused) FROM run") >= 1
        since = at(2023, 5, 12)
        now = at_work.clock.now()
        holes = at_work.ledger.missing("hyperliquid", since, now=now, again=True, continuous=False)["BTC"]
        assert [tuple(hole) for hole in holes] == [
            (at(2023, 7, 2, 19), at(2023, 7, 2, 20)),  # the recording has no such hour
            (late - 8 * HOUR, late),
        ]


# Spacing: 8 h, then 4 h, then 1 h, with payments missing


class Constructed(NamedTuple):
    """`hours` are the true intervals of all payments by time, `lost` those that the file does not have."""

    hours: dict[int, int]
    lost: frozenset[int]

    @property
    def left(self) -> list[int]:
        return [time for time in self.hours if time not in self.lost]


def constructed(lost: Iterable[int] = ()) -> Constructed:
    """60 payments for 8 h, 60 for 4 h and 96 for 1 h, up to `NOON`; `lost` counts them from the first."""
    lengths = [8] * 60 + [4] * 60 + [1] * 96
    time, hours = NOON - sum(lengths) * HOUR, dict[int, int]()
    for length in lengths:
        time += length * HOUR
        hours[time] = length
    times = list(hours)
    return Constructed(hours, frozenset(times[number] for number in lost))


def rate_of(time: int) -> float:
    return round(random.Random(time).uniform(-4e-4, 4e-4), 8)


HOLES = {
    "none": [],
    "inside": [10, 30, 31, 80, 150, 151, 170],
    "the last of 8 h": [59],
    "the first and the second of 4 h": [60, 61],
    "the last of 4 h": [119],
    "the first of 1 h": [120],
    "both sides of both changes": [59, 60, 119, 120],
    "some of everything": [5, 58, 59, 63, 90, 118, 121, 122, 140],
}


def verdicts(case: Constructed, found: Mapping[int, float | None]) -> list[str]:
    """What is wrong with the intervals `found`."""
    wrong = [] if list(found) == case.left else ["other payments than the file has"]
    wrong += [
        f"{time}: {hours} for {case.hours[time]}"
        for time, hours in found.items()
        if hours is not None and hours != case.hours[time]
    ]
    wrong += [
        f"{time}: unknown among equal neighbours"
        for before, time, after in zip(case.left, case.left[1:], case.left[2:], strict=False)
        if found.get(time) is None
        and case.hours[before] == case.hours[time] == case.hours[after]
        and time - before == case.hours[time] * HOUR
        and after - time == case.hours[after] * HOUR
    ]
    ends = [(time - (hours or 0) * HOUR, time) for time, hours in found.items()]
    wrong += [f"{other[1]} overlaps" for one, other in pairwise(ends) if other[0] < one[1]]
    return wrong


def venue_of(case: Constructed) -> FakeVenue:
    """The market beside a steady one, as the venue quotes them after all of it."""
    venue = FakeVenue()
    for symbol, hours in (("XUSDT", 1), ("STEADYUSDT", 8)):
        venue.symbols.append(
            {
                "symbol": symbol,
                "contractType": "PERPETUAL",
                "status": "TRADING",
                "baseAsset": symbol.removesuffix("USDT"),
                "quoteAsset": "USDT",
                "underlyingType": "COIN",
                "onboardDate": 1_569_398_400_000,
                "deliveryDate": 4_133_404_800_000,
            }
        )
        venue.premiums.append(
            {
                "symbol": symbol,
                "markPrice": "100.0",
                "indexPrice": "100.0",
                "lastFundingRate": "0.00010000",
                "nextFundingTime": (NOON + hours * HOUR) * 1000,
                "time": NOON * 1000,
            }
        )
        venue.terms.append({"symbol": symbol, "fundingIntervalHours": hours})
        venue.tickers.append({"symbol": symbol, "quoteVolume": "1000.0"})
    for time in case.left:
        venue.pay("XUSDT", [time], f"{rate_of(time):.8f}")
    venue.pay("STEADYUSDT", range(NOON // (8 * HOUR) * 8 * HOUR - 120 * 8 * HOUR, NOON, 8 * HOUR))
    return venue


@pytest.mark.parametrize("holes", HOLES.values(), ids=HOLES)
async def test_changes_of_interval_and_holes_served_by_a_venue(tmp_path: Path, holes: list[int]) -> None:
    case = constructed(holes)
    async with collected(tmp_path, "binance", venue_of(case).answer, NOON + 20 * 60) as at_work:
        await at_work.collector.once(hours=24, limit=None)
        outcomes = await at_work.collector.backfill(Job(1, 36, ("binance",)))
        assert outcomes["binance"].word != "error", outcomes["binance"].error
        stored = at_work.stored("XUSDT")
        assert {time: rate for time, (rate, _) in stored.items()} == {t: rate_of(t) for t in case.left}
        found = {time: hours for time, (_, hours) in stored.items()}
        assert verdicts(case, found) == []
        assert sum(hours is None for hours in found.values()) <= 1 + len(holes)


@pytest.mark.parametrize("holes", HOLES.values(), ids=HOLES)
async def test_changes_of_interval_and_holes_in_a_file(tmp_path: Path, holes: list[int]) -> None:
    case = constructed(holes)
    clock = HandClock()
    ledger = open_ledger(tmp_path, clock)
    try:
        office = Office(ledger, clock, tmp_path)
        report = await office.bring([Line("XUSDT", time, rate_of(time)) for time in case.left])
        assert (report.word, report.inserted) == ("ok", len(case.left))
        assert [(time, rate) for _, time, rate, _, _ in office.rows()] == [(t, rate_of(t)) for t in case.left]
        found = {time: hours for _, time, _, hours, _ in office.rows()}
        assert verdicts(case, found) == []
        assert sum(hours is None for hours in found.values()) <= 1 + len(holes)
    finally:
        ledger.close()
