"""Damaged answers, thousands of each exchange: nothing escapes, nothing absurd comes out, nothing settled changes.

`FUNDWATCH_SEED` fixes the seed, which a failure prints; `FUNDWATCH_TRIALS` multiplies the number of trials.
"""

import asyncio
import os
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from fundwatch.collector.ledger import Ledger
from fundwatch.collector.tracker import Tracker
from fundwatch.exchanges import REGISTRY
from fundwatch.exchanges.errors import ExchangeError
from fundwatch.models import HOUR
from tests.exchanges.test_recorded import RECORDED, needs_recorded
from tests.rigs import sanity
from tests.rigs.mutator import Mutator
from tests.rigs.tape import NOON, Tape, adapter, wanted_of
from tests.virtual_time import VirtualClock

SEED = int(os.environ.get("FUNDWATCH_SEED") or random.SystemRandom().randrange(10**6))
TIMES = float(os.environ.get("FUNDWATCH_TRIALS") or 1)
TRIALS = round(960 * TIMES)
STORED_TRIALS = round(40 * TIMES)
MEDIAN_SECONDS, LONGEST_SECONDS = 0.05, 2.0
MOST_BYTES = 64 * 2**20
NOW = NOON + 20 * 60

every_exchange = pytest.mark.parametrize("name", REGISTRY)


class Memory:
    """The most that this process has held since `begin`, above what it held then."""

    def __init__(self) -> None:
        self._status = Path("/proc/self/status")
        self._before = 0

    def begin(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")
        self._before = self._field("VmRSS")

    def grown_bytes(self) -> int:
        return self._field("VmHWM") - self._before

    def _field(self, name: str) -> int:
        [line] = [line for line in self._status.read_text().splitlines() if line.startswith(name)]
        return int(line.split()[1]) * 1024


@contextmanager
def told(name: str, trial: int, what: str) -> Iterator[None]:
    """A failure inside says which trial it was and how to have it again."""
    try:
        yield
    except Exception as error:
        error.add_note(f"{name}, trial {trial} ({what}): again with FUNDWATCH_SEED={SEED}")
        raise


def mutator_of(name: str, trial: int) -> Mutator:
    return Mutator(f"{SEED} {name} {trial}")


@every_exchange
async def test_damaged_answers_neither_escape_nor_bring_anything_absurd(name: str) -> None:
    tape, clock, memory = Tape(name), VirtualClock(NOW), Memory()
    wanted = wanted_of(name, 8)
    tape.now = lambda: NOW

    async def take(lists: bool) -> Iterator[str]:
        """What is wrong with what the exchange says of its markets and quotes, or of settlements."""
        exchange = adapter(tape, name, clock)
        problems: list[str] = []
        try:
            if lists:
                listing, quotes = await exchange.fetch_markets_and_quotes()
                problems += sanity.of_lists(listing, quotes, clock.now())
            else:
                async for answer in exchange.fetch_settlements(wanted):
                    problems += sanity.of_answer(answer, wanted, clock.now())
        except ExchangeError as error:
            problems += sanity.of_error(error)
        finally:
            await exchange.http.aclose()
        return iter(problems)

    asked: dict[bool, list[str]] = {}
    for lists in (True, False):
        tape.asked.clear()
        assert list(await take(lists)) == []
        asked[lists] = list(tape.asked)
    memory.begin()
    took: list[float] = []
    for trial in range(TRIALS):
        chance = random.Random(f"{SEED} {name} {trial}")
        lists = not asked[False] or chance.random() < 0.5
        target = chance.choice(asked[lists])
        what, spoiled = mutator_of(name, trial).mutate(tape.true_answer(target).body)
        tape.spoil = lambda asked, body, target=target, spoiled=spoiled: spoiled if asked == target else body
        began, clock.wall = time.perf_counter(), NOW
        with told(name, trial, what):
            assert list(islice(await take(lists), 5)) == []
            took.append(time.perf_counter() - began)
            assert took[-1] < LONGEST_SECONDS
    assert statistics.median(took) < MEDIAN_SECONDS
    assert memory.grown_bytes() < MOST_BYTES, f"seed {SEED}"


def settled(ledger: Ledger) -> dict[tuple[int, ...], tuple[object, ...]]:
    """What stands of every payment, by market, time and kind."""
    rows = ledger.writer.rows(
        "SELECT market_id, funding_time, kind, rate, payment_usd, run_id, interval_hours FROM settlement"
    )
    return {tuple(row[:3]): tuple(row[3:]) for row in rows}


def changed(
    before: dict[tuple[int, ...], tuple[object, ...]], after: dict[tuple[int, ...], tuple[object, ...]]
) -> list[str]:
    """What became of payments that were settled before; an interval that was not known may be learnt."""
    found = []
    for key, row in before.items():
        now = after.get(key)
        if now is None or repr(now[:-1]) != repr(row[:-1]) or (now[-1] != row[-1] and row[-1] is not None):
            found.append(f"{key}: {row} became {now}")
    return found


_ABSURD = """
SELECT 'settlement', market_id, funding_time, rate FROM settlement
WHERE typeof(rate) <> 'real' OR abs(rate) > CASE kind WHEN 1 THEN 1.0 ELSE 0.1 * COALESCE(interval_hours, 8) END
   OR funding_time % 3600 OR funding_time > ?1 + 600 OR funding_time < 1400000000
   OR (interval_hours IS NOT NULL AND typeof(interval_hours) <> 'real')
   OR (payment_usd IS NOT NULL AND (typeof(payment_usd) <> 'real' OR abs(payment_usd) > 1e308))
UNION ALL
SELECT 'quote', market_id, observed_at, hourly_rate FROM quote
WHERE (hourly_rate IS NOT NULL AND (typeof(hourly_rate) <> 'real' OR abs(hourly_rate) > 0.1)) OR observed_at > ?1
"""


def absurd(ledger: Ledger, now: float) -> list[object]:
    """Rows that must not be in the database, and text that must not be shown."""
    found: list[object] = ledger.writer.rows(_ABSURD, now)
    for symbol, ticker in ledger.writer.rows("SELECT symbol, ticker FROM market"):
        found += [*sanity.of_name(symbol), *sanity.of_name(ticker)]
    for (text,) in ledger.writer.rows(
        "SELECT message FROM event UNION SELECT last_error FROM tracker UNION SELECT error FROM run"
        " UNION SELECT failure FROM market UNION SELECT reason FROM absence"
    ):
        found += sanity.of_text(text or "")
    return found


@every_exchange
async def test_damaged_answers_change_nothing_that_is_settled(name: str, tmp_path: Path) -> None:
    tape, clock = Tape(name), VirtualClock(NOW)
    tape.now = clock.now
    ledger = Ledger.open(tmp_path / "f.db", world="fuzz", role="collector", clock=clock, exchanges=REGISTRY)
    exchange = adapter(tape, name, clock)
    tracker = Tracker(exchange, ledger, clock, lambda event: None, history_days=2)
    try:
        assert (await tracker.sweep()).word == "ok"
        for trial in range(STORED_TRIALS):
            clock.wall = NOW + (trial + 1) * HOUR
            chance = random.Random(f"{SEED} {name} stored {trial}")
            place = chance.randrange(max(1, len(tape.asked)))
            tape.asked.clear()
            mutator = mutator_of(f"{name} stored", trial)
            spoiled: dict[str, bytes] = {}
            whats = []

            def spoil(asked: str, body: bytes) -> bytes:
                """Damages the answer to the request at `place`, also when it is asked again."""
                if len(tape.asked) - 1 == place:
                    what, spoiled[asked] = mutator.mutate(body)
                    whats.append(what)
                return spoiled.get(asked, body)

            tape.spoil = spoil
            before = settled(ledger)
            outcome = await tracker.sweep()
            with told(name, trial, ", ".join(whats)):
                assert "fundwatch itself failed" not in (outcome.error or "")
                assert changed(before, settled(ledger)) == []
                assert absurd(ledger, clock.now()) == []
                assert ledger.state(name).status in ("idle", "error")
    finally:
        await exchange.http.aclose()
        ledger.close()
