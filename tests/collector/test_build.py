import pytest

from fundwatch.collector.build import build_collector
from fundwatch.collector.ledger import Ledger
from fundwatch.config import Assets, Config, ExchangeSection
from fundwatch.config import Collector as CollectorSection
from fundwatch.exchanges import REGISTRY, load
from fundwatch.exchanges.bans import Ban
from fundwatch.storage import bans as stored_bans
from fundwatch.storage import presence, trackers
from fundwatch.storage.bans import BanRow
from tests.collector.scripted import HandClock, unheard


def config(**sections: ExchangeSection) -> Config:
    return Config(exchanges=sections, collector=CollectorSection(quotes_every="2m", history_days=3))


async def test_every_enabled_exchange_has_its_tracker(ledger: Ledger, clock: HandClock) -> None:
    made = build_collector(config(aster=ExchangeSection(enabled=False)), ledger, unheard, clock)
    assert set(made.trackers) == set(REGISTRY) - {"aster"}
    states = trackers.states(ledger.writer)
    assert {name for name, state in states.items() if not state.enabled} == {"aster"}
    assert set(states) == set(REGISTRY)


async def test_a_collector_of_a_few_does_not_switch_the_others_off(ledger: Ledger, clock: HandClock) -> None:
    made = build_collector(config(), ledger, unheard, clock, only=("aster",))
    assert list(made.trackers) == ["aster"]
    assert all(state.enabled for state in trackers.states(ledger.writer).values())


async def test_addresses_proxies_and_minutes_are_the_configured_ones(
    ledger: Ledger, clock: HandClock
) -> None:
    sections = {"aster": ExchangeSection(base_url="http://127.0.0.1:9", minute=59)}
    made = build_collector(config(**sections), ledger, unheard, clock)
    aster, lighter = made.trackers["aster"].exchange, made.trackers["lighter"].exchange
    assert str(aster.http._client.base_url) == "http://127.0.0.1:9"
    assert str(lighter.http._client.base_url).rstrip("/") == lighter.facts.base_url.rstrip("/")
    assert (made._minutes["aster"], made._minutes["lighter"]) == (59, lighter.facts.minute)
    assert made._quotes_every == 120


async def test_what_is_not_kept_is_asked_for_by_none(ledger: Ledger, clock: HandClock) -> None:
    settings = Config(collector=CollectorSection(retention_days=60))
    made = build_collector(settings, ledger, unheard, clock)
    assert {tracker._retention_seconds for tracker in made.trackers.values()} == {60 * 86400}


async def test_stored_bans_and_spending_reach_the_doors(ledger: Ledger, clock: HandClock) -> None:
    with ledger.writer.transaction():
        row = BanRow("aster at 127.0.0.1", "banned", clock.now() + 600, "banned", 2)
        stored_bans.put(ledger.writer, row)
    sections = {"aster": ExchangeSection(base_url="http://127.0.0.1:9")}
    made = build_collector(config(**sections), ledger, unheard, clock)
    assert made.trackers["aster"].exchange.http.ban() == Ban("banned", clock.now() + 600, "banned", 2)
    assert made.trackers["lighter"].exchange.http.ban() is None


async def test_what_an_earlier_process_spent_counts(ledger: Ledger, clock: HandClock) -> None:
    name = next(iter(load("aster").facts.limits))
    with ledger.writer.transaction():
        presence.save_spending(ledger.writer, "aster", {name: 100.0}, clock.now() - 1)
    made = build_collector(config(), ledger, unheard, clock, only=("aster",))
    assert made.trackers["aster"].exchange.http.budget.snapshot()[name] == 100.0


async def test_corrections_of_the_configuration_reach_the_markets(ledger: Ledger, clock: HandClock) -> None:
    corrected = Config(assets=Assets(ticker={"aster:M001": "PEPE"}))
    made = build_collector(corrected, ledger, unheard, clock, only=("aster",))
    overrides = made.trackers["aster"]._overrides
    assert overrides is not None
    assert overrides.ticker == {"aster:M001": "PEPE"}


@pytest.mark.parametrize("minute", [None, 7])
async def test_readers_learn_what_they_must_know_of_each_exchange(
    minute: int | None, ledger: Ledger, clock: HandClock
) -> None:
    build_collector(config(variational=ExchangeSection(minute=minute)), ledger, unheard, clock)
    rows = {
        name: rest
        for name, *rest in ledger.writer.rows("SELECT name, source, continuous, minute FROM exchange")
    }
    assert rows["variational"] == [1, 0, minute or 17]
    assert rows["paradex"][:2] == [3, 1]
