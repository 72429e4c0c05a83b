"""Thirty days of the demo world, through sweeps and backfill, against its truth."""

from math import isclose
from pathlib import Path

import pytest

from fundwatch.collector.backfill import Job
from fundwatch.models import HOUR
from tests.acceptance.house import NOON, house

DAYS = 30
KINDS = {"regular": 0, "special": 1}


@pytest.mark.parametrize("name", ["lighter", "hyperliquid", "binance", "aster", "extended"])
async def test_every_settled_row_of_thirty_days_is_stored_exactly_once(name: str, tmp_path: Path) -> None:
    async with house(tmp_path, exchanges=(name,)) as at:
        outcomes = await at.sweep(name)
        assert outcomes[name].word == "ok", outcomes[name].error
        outcomes = await at.collector.backfill(Job(1, DAYS, (name,)))
        assert outcomes[name].word == "ok", outcomes[name].error

        end = int(at.clock.now())
        horizon = end // HOUR * HOUR - DAYS * 24 * HOUR
        stored = at.stored(name, horizon)
        symbols = at.world.symbols(name)
        assert set(stored) <= set(symbols)
        wrong = []
        for symbol in symbols:
            truth = {
                (paid.funding_time, KINDS[paid.kind]): (paid.rate, paid.interval_hours)
                for paid in at.world.truth_settlements(name, symbol, horizon, end)
            }
            found = {(time, kind): (rate, hours) for time, rate, hours, kind in stored.get(symbol, [])}
            wrong += [
                (symbol, key, truth.get(key), found.get(key))
                for key in truth.keys() | found.keys()
                if not _same(truth.get(key), found.get(key))
            ]
        # The first payment of a market listed on the way: nothing tells how many hours it covered.
        first_rows = {(symbol, (rows[0][0], rows[0][3])) for symbol, rows in stored.items()}
        unknown = [w for w in wrong if w[3] is not None and w[3][1] is None and w[:2] in first_rows]
        assert [w for w in wrong if w not in unknown] == []
        assert len(unknown) <= 3
        assert sum(map(len, stored.values())) > 100_000
        assert at.of(name).gaps_open == 0
        assert at.of(name).total_records == at.writer.value("SELECT count(*) FROM settlement")


def _same(one: tuple[float, float | None] | None, other: tuple[float, float | None] | None) -> bool:
    return one is not None and other is not None and one[1] == other[1] and isclose(one[0], other[0])


async def test_paradex_windows_are_the_index_differences(tmp_path: Path) -> None:
    """Exact to the drift of spot inside the window, which the published rate divides by."""
    async with house(tmp_path, exchanges=("paradex",)) as at:
        await at.sweep("paradex")
        outcomes = await at.collector.backfill(Job(1, DAYS, ("paradex",)))
        assert outcomes["paradex"].word == "ok", outcomes["paradex"].error

        end = int(at.clock.now())
        horizon = end // HOUR * HOUR - DAYS * 24 * HOUR
        stored = at.stored("paradex", horizon)
        windows = 0
        for symbol, rows in stored.items():
            for funding_time, rate, hours, _ in rows:
                assert hours is not None
                start = funding_time - round(hours * HOUR)
                [truth] = at.world.truth_settlements("paradex", symbol, start, funding_time)
                assert rate == pytest.approx(truth.rate, rel=5e-4, abs=2e-8), (symbol, funding_time)
                windows += 1
        assert windows > 9_000
        assert at.of("paradex").gaps_open == 0


async def test_variational_is_recorded_and_says_so(tmp_path: Path) -> None:
    async with house(tmp_path, exchanges=("variational",), now=NOON - 240) as at:
        await at.sweep("variational")
        assert at.stored("variational") == {}
        before = {
            symbol: rate * hours
            for symbol, rate, hours in at.writer.rows(
                "SELECT m.symbol, q.hourly_rate, q.interval_hours FROM quote q JOIN market m"
                " ON m.id = q.market_id WHERE q.next_funding_time = ?",
                NOON,
            )
        }
        at.clock.advance(300)
        await at.sweep("variational")
        stored = at.stored("variational")
        assert len(before) > 100
        assert {symbol: rows[0][1] for symbol, rows in stored.items()} == pytest.approx(before)
        assert {rows[0][0] for rows in stored.values()} == {NOON}
        sources = at.writer.rows("SELECT DISTINCT r.source FROM settlement s JOIN run r ON r.id = s.run_id")
        assert sources == [(1,)]
