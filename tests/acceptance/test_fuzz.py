"""Damaged answers, thousands of each exchange: nothing escapes, nothing absurd comes out.

And nothing that is settled changes. `FUNDWATCH_TRIALS=10` multiplies the trials, `FUNDWATCH_SEED` moves them;
a failure names its seed.
"""

import random
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from fundwatch.collector.ledger import Ledger
from fundwatch.collector.tracker import Tracker
from fundwatch.exchanges import REGISTRY
from fundwatch.exchanges.errors import ExchangeError
from fundwatch.models import HOUR
from tests.exchanges.test_recorded import RECORDED
from tests.rigs import sanity
from tests.rigs.kill import SEED, TRIALS
from tests.rigs.memory import Memory
from tests.rigs.mutator import Mutator
from tests.rigs.tape import NOON, Tape, adapter, kind_of, wanted_of
from tests.virtual_time import VirtualClock

NOW = NOON + 20 * 60
DECODED, STORED = round(960 * TRIALS), round(40 * TRIALS)
RECORDED_SHARE = 0.25
LARGEST_RECORDED = 90_000
MEDIAN_SECONDS, LONGEST_SECONDS = 0.05, 2.0
MOST_BYTES = 64 * 2**20

_FILES = {
    "GET /api/v1/orderBookDetails": "lighter/orderBookDetails_*.json",
    "GET /api/v1/fundings": "lighter/fundings_*.json",
    "POST /info metaAndAssetCtxs": "hyperliquid/metaAndAssetCtxs_*.json",
    "POST /info metaAndAssetCtxs xyz": "hyperliquid/metaAndAssetCtxs_dex-xyz_*.json",
    "POST /info perpDexs": "hyperliquid/perpDexs_*.json",
    "POST /info fundingHistory": "hyperliquid/fundingHistory_*.json",
    "GET /fapi/v1/exchangeInfo": "*/exchangeInfo_*.json",
    "GET /fapi/v1/premiumIndex": "*/premiumIndex_*.json",
    "GET /fapi/v1/fundingInfo": "*/fundingInfo_*.json",
    "GET /fapi/v1/fundingRate": "*/fundingRate_*.json",
    "GET /fapi/v1/ticker/24hr": "*/ticker-24hr_*.json",
    "GET /api/v1/info/markets": "extended/info_markets_*.json",
    "GET /api/v1/info/*/funding": "extended/info_funding_*.json",
    "GET /v1/markets": "paradex/markets_BTC_*.json",
    "GET /v1/markets/summary": "paradex/markets_summary_*.json",
    "GET /metadata/stats": "variational/metadata_stats_*.json",
}
"""Where recorded answers of a kind are, if there are any."""

every_exchange = pytest.mark.parametrize("name", REGISTRY)


@cache
def recorded(kind: str) -> list[bytes]:
    """Real answers to what is asked, none where nobody recorded them."""
    files = sorted(RECORDED.glob(_FILES[kind])) if kind in _FILES else []
    return [
        file.read_bytes()
        for file in files
        if ".expected." not in file.name and file.stat().st_size < LARGEST_RECORDED
    ]


@contextmanager
def told(name: str, trial: int, what: str) -> Iterator[None]:
    """A failure inside says which trial it was and how to have it again."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"FUNDWATCH_SEED={SEED}, {name}, trial {trial}: {what}")
        raise


class Bench:
    """An exchange whose answers are damaged, asked by a new adapter each time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tape = Tape(name)
        self.tape.now = lambda: NOW
        self.wanted = wanted_of(name, 8)

    async def take(self, lists: bool) -> list[str]:
        """What is wrong with what the adapter makes of the answers."""
        clock = VirtualClock(NOW)
        exchange = adapter(self.tape, self.name, clock)
        problems: list[str] = []
        try:
            if lists:
                listing, quotes = await exchange.fetch_markets_and_quotes()
                problems += sanity.of_lists(listing, quotes, clock.now())
            else:
                async for answer in exchange.fetch_settlements(self.wanted):
                    problems += sanity.of_answer(answer, self.wanted, clock.now())
        except ExchangeError as error:
            problems += sanity.of_error(error)
        finally:
            await exchange.http.aclose()
        return problems

    async def asks(self, lists: bool) -> list[str]:
        """What the adapter asks when all is well."""
        self.tape.asked.clear()
        assert await self.take(lists) == []
        return list(self.tape.asked)

    def damage(self, target: str, chance: random.Random) -> str:
        """Damages the answer to `target` in one way, however often it is asked; which way."""
        base = self.tape.true_answer(target).body
        if (real := recorded(kind_of(target))) and chance.random() < RECORDED_SHARE:
            base = chance.choice(real)
        what, damaged = Mutator(chance.random()).mutate(base)
        self.tape.spoil = lambda asked, body: damaged if asked == target else body
        return f"{kind_of(target)}: {what}"


@every_exchange
async def test_damaged_answers_neither_escape_nor_bring_anything_absurd(name: str) -> None:
    bench, memory = Bench(name), Memory()
    asked = {lists: await bench.asks(lists) for lists in (True, False)}
    took: list[float] = []
    for trial in range(DECODED):
        chance = random.Random(f"{SEED} {name} {trial}")
        lists = not asked[False] or chance.random() < 0.5
        with told(name, trial, bench.damage(chance.choice(asked[lists]), chance)):
            memory.begin()
            began = time.perf_counter()
            assert await bench.take(lists) == []
            took.append(time.perf_counter() - began)
            assert took[-1] < LONGEST_SECONDS
            assert memory.grown_bytes() < MOST_BYTES
    assert statistics.median(took) < MEDIAN_SECONDS


Settled = Mapping[tuple[int, int, int], tuple[object, ...]]
"""Payments by market, time and kind: rate, what it paid in USD, run, hours."""


def settled(ledger: Ledger) -> Settled:
    rows = ledger.writer.rows(
        "SELECT market_id, funding_time, kind, rate, payment_usd, run_id, interval_hours FROM settlement"
    )
    return {(row[0], row[1], row[2]): tuple(row[3:]) for row in rows}


def changed(before: Settled, after: Settled) -> list[str]:
    """What became of payments that were settled before; what was not known of them may be learnt."""
    found = []
    for key, row in before.items():
        now = after.get(key, ())
        if len(now) != len(row) or any(
            was is not None and repr(was) != repr(is_) for was, is_ in zip(row, now, strict=True)
        ):
            found.append(f"{key}: {row} became {now}")
    return found


_ABSURD = """
SELECT 'settlement', market_id, funding_time, rate FROM settlement
WHERE typeof(rate) <> 'real'
   OR abs(rate) > CASE kind WHEN 1 THEN 1.0 ELSE 0.1 * COALESCE(interval_hours, 8) END
   OR funding_time % 3600 OR funding_time > ?1 + 600 OR funding_time < 1400000000
   OR (interval_hours IS NOT NULL AND typeof(interval_hours) <> 'real')
   OR (payment_usd IS NOT NULL AND (typeof(payment_usd) <> 'real' OR abs(payment_usd) > 1e308))
UNION ALL
SELECT 'quote', market_id, observed_at, hourly_rate FROM quote
WHERE (hourly_rate IS NOT NULL AND (typeof(hourly_rate) <> 'real' OR abs(hourly_rate) > 0.1))
   OR observed_at > ?1
"""
_TEXTS = """
SELECT message FROM event UNION SELECT last_error FROM tracker UNION SELECT error FROM run
UNION SELECT failure FROM market UNION SELECT reason FROM absence
"""


def absurd(ledger: Ledger, now: float) -> list[object]:
    """Rows that must not be in the database, and text that must not be shown."""
    found: list[object] = ledger.writer.rows(_ABSURD, now)
    for symbol, ticker in ledger.writer.rows("SELECT symbol, ticker FROM market"):
        found += [*sanity.of_name(symbol), *sanity.of_name(ticker)]
    for (text,) in ledger.writer.rows(_TEXTS):
        found += sanity.of_text(text or "")
    return found


class Damage:
    """Damages the answer to the request number `place`, also when the same is asked again."""

    def __init__(self, tape: Tape, place: int, mutator: Mutator) -> None:
        self.what = ""
        self._tape = tape
        self._place = place
        self._mutator = mutator
        self._damaged: dict[str, bytes] = {}

    def __call__(self, asked: str, body: bytes) -> bytes:
        if len(self._tape.asked) - 1 == self._place:
            what, self._damaged[asked] = self._mutator.mutate(body)
            self.what = f"{kind_of(asked)}: {what}"
        return self._damaged.get(asked, body)


@every_exchange
async def test_damaged_answers_change_nothing_that_is_settled(name: str, tmp_path: Path) -> None:
    tape, clock = Tape(name), VirtualClock(NOW)
    tape.now = clock.now
    ledger = Ledger.open(tmp_path / "f.db", world="fuzz", role="collector", clock=clock, exchanges=REGISTRY)
    exchange = adapter(tape, name, clock)
    tracker = Tracker(exchange, ledger, clock, lambda event: None, history_days=2)
    try:
        assert (await tracker.sweep()).word == "ok"
        for trial in range(STORED):
            chance = random.Random(f"{SEED} {name} stored {trial}")
            damage = Damage(tape, chance.randrange(max(1, len(tape.asked))), Mutator(chance.random()))
            tape.spoil = damage
            tape.asked.clear()
            clock.wall = NOW + (trial + 1) * HOUR
            before = settled(ledger)
            outcome = await tracker.sweep()
            with told(name, trial, damage.what):
                assert "fundwatch itself failed" not in (outcome.error or "")
                assert changed(before, settled(ledger)) == []
                assert absurd(ledger, clock.now()) == []
                state = ledger.state(name)
                assert state is not None
                assert state.status == ("idle" if outcome.word == "ok" else "error")
    finally:
        await exchange.http.aclose()
        ledger.close()
