"""What an exchange wants of us is remembered over a restart: bans, and what was spent."""

from pathlib import Path

import pytest

from fundwatch.collector.bans import StoredBans
from fundwatch.exchanges.bans import Ban
from fundwatch.exchanges.errors import Banned
from fundwatch.exchanges.http import Http, Limit
from tests.collector.scripted import HandClock, Watch, open_ledger, scripted
from tests.door import SPEND
from tests.fault_server import FaultServer, answer, json_answer


def door(url: str, clock: HandClock, bans: StoredBans, limit: float = 1000.0) -> Http:
    limits = {"weight": Limit(limit, 60)}
    return Http(name="aster", base_url=url, limits=limits, clock=clock, bans=bans)


def watch_of(folder: Path, url: str, clock: HandClock) -> Watch:
    """A tracker as a new process makes it; its quotes cost a request each."""
    ledger = open_ledger(folder, clock)
    http = door(url, clock, StoredBans(ledger))
    exchange = scripted(clock, http=http)

    async def ask() -> None:
        await http.get("/", spend=SPEND)

    exchange.trouble = {"quotes": ask}
    return Watch(ledger, exchange, clock)


async def end(watch: Watch) -> None:
    await watch.exchange.http.aclose()
    watch.ledger.close()


async def test_a_new_process_sends_nothing_before_a_ban_ends(tmp_path: Path, clock: HandClock) -> None:
    async with FaultServer(answer(418, retry_after="7200"), json_answer()) as server:
        watch = watch_of(tmp_path, server.url, clock)
        outcome = await watch.tracker.sweep()
        assert outcome.retry_at == pytest.approx(clock.now() + 7201)
        await end(watch)

        for _ in range(3):
            clock.advance(2000)
            watch = watch_of(tmp_path, server.url, clock)
            outcome = await watch.tracker.sweep()
            assert outcome.word == "error"
            assert "nothing is sent before" in (watch.state.last_error or "")
            await watch.tracker.quotes_pass()
            await end(watch)
        assert len(server.requests) == 1

        clock.advance(1300)
        watch = watch_of(tmp_path, server.url, clock)
        assert (await watch.tracker.sweep()).word == "ok"
        assert len(server.requests) == 2
        assert watch.ledger.writer.value("SELECT COUNT(*) FROM ban") == 0
        await end(watch)


async def test_a_ban_belongs_to_one_exchange_and_host(tmp_path: Path, clock: HandClock) -> None:
    ledger = open_ledger(tmp_path, clock)
    async with FaultServer(answer(418, retry_after="7200")) as server:
        http = door(server.url, clock, StoredBans(ledger))
        with pytest.raises(Banned):
            await http.get("/", spend=SPEND)
        elsewhere = door("http://localhost:1", clock, StoredBans(ledger))
        assert (http.ban() is None, elsewhere.ban() is None) == (False, True)
        await http.aclose()
        await elsewhere.aclose()
    assert ledger.writer.rows("SELECT scope, kind, strikes FROM ban") == [("aster at 127.0.0.1", "banned", 1)]
    ledger.close()


def test_the_book_keeps_and_drops(tmp_path: Path, clock: HandClock) -> None:
    ledger = open_ledger(tmp_path, clock)
    book = StoredBans(ledger)
    ban = Ban("throttled", clock.now() + 60.5, "too many requests", 3)
    book.put("aster at x", ban)
    assert book.get("aster at x") == StoredBans(ledger).get("aster at x") == ban
    book.drop("aster at x")
    book.drop("aster at x")
    assert book.get("aster at x") is StoredBans(ledger).get("aster at x") is None
    ledger.close()


async def test_what_was_spent_is_counted_after_a_restart(tmp_path: Path, clock: HandClock) -> None:
    async with FaultServer(json_answer()) as server:
        watch = watch_of(tmp_path, server.url, clock)
        await watch.tracker.sweep()
        for _ in range(79):
            await watch.exchange.http.get("/", spend={"weight": 10.0})
        await watch.tracker.quotes_pass()
        assert watch.exchange.http.budget.snapshot() == {"weight": 792.0}
        await end(watch)

        clock.advance(20)
        watch = watch_of(tmp_path, server.url, clock)
        budget = watch.exchange.http.budget
        watch.ledger.restore_spending("aster", budget)
        watch.ledger.restore_spending("lighter", budget)
        assert budget.snapshot() == {"weight": 792.0}
        before = clock.now()
        await watch.exchange.http.get("/", spend={"weight": 10.0})
        assert clock.now() - before == pytest.approx(40, abs=0.1), "it waits until the minute is over"
        await end(watch)
