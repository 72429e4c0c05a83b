"""The alert table is true while the collector runs: opened when it began, closed when it is over."""

from fundwatch.collector import alerts
from fundwatch.collector.collector import Collector
from fundwatch.collector.ledger import Ledger
from fundwatch.exchanges.errors import Unreachable
from fundwatch.models import HOUR
from fundwatch.storage import presence, queries
from fundwatch.storage.alerts import AlertRow
from tests.collector.scripted import HandClock, Watch, unheard

STALE_AFTER = 2 * HOUR


def keep(watch: Watch, exchanges: tuple[str, ...] = ("aster",)) -> list[AlertRow]:
    alerts.keep(
        watch.ledger,
        exchanges,
        quotes_every_seconds=300,
        stale_after_seconds=STALE_AFTER,
        now=watch.clock.now(),
    )
    return queries.open_alerts(watch.ledger.writer)


def told(watch: Watch) -> list[str]:
    found = queries.events(watch.ledger.writer, kind="alert")
    return [event.message for event in reversed(found)]


async def test_nothing_is_wrong_with_a_fresh_exchange(watch: Watch) -> None:
    await watch.tracker.sweep()
    assert keep(watch) == []
    assert told(watch) == []


async def test_stale_quotes_are_an_alert_since_they_turned_stale(watch: Watch, clock: HandClock) -> None:
    await watch.tracker.sweep()
    taken = int(clock.now())
    clock.advance(STALE_AFTER + 600)
    (alert,) = keep(watch)
    assert (alert.exchange, alert.kind, alert.since) == ("aster", "stale", taken + STALE_AFTER)
    assert alert.message == "quotes are 2 h 10 min old"
    clock.advance(600)
    (again,) = keep(watch)
    assert (again.id, again.since, again.message) == (alert.id, alert.since, "quotes are 2 h 20 min old")
    await watch.tracker.sweep()
    over = int(clock.now())
    assert keep(watch) == []
    assert watch.ledger.writer.rows("SELECT until FROM alert") == [(over,)]
    assert told(watch) == ["stale: quotes are 2 h 10 min old", "stale: over"]


async def test_a_failed_sweep_is_an_alert_until_one_goes_well(watch: Watch, clock: HandClock) -> None:
    watch.exchange.trouble = {"list": Unreachable("no route")}
    await watch.tracker.sweep()
    (alert,) = keep(watch)
    assert (alert.kind, alert.since) == ("error", int(clock.now()))
    assert "no route" in alert.message
    watch.exchange.trouble = {}
    await watch.tracker.sweep()
    assert keep(watch) == []


async def test_one_kind_gives_way_to_another(watch: Watch) -> None:
    watch.exchange.failing = {"M001": "not found"}
    await watch.tracker.sweep()
    assert [alert.kind for alert in keep(watch)] == ["partial"]
    watch.exchange.trouble = {"list": Unreachable("no route")}
    await watch.tracker.sweep()
    assert [alert.kind for alert in keep(watch)] == ["error"]
    kinds = [message.split(":")[0] for message in told(watch)]
    assert kinds == ["partial", "partial", "error"]


async def test_a_failed_unit_check_has_a_kind_of_its_own(watch: Watch) -> None:
    watch.exchange.rates = {s: r * 8 if r else r for s, r in watch.exchange.rates.items()}
    await watch.tracker.sweep()
    (alert,) = keep(watch)
    assert alert.kind == "unit check"
    assert "8" in alert.message


async def test_a_pause_ends_the_alarm_and_so_does_leaving_the_configuration(watch: Watch) -> None:
    watch.exchange.trouble = {"list": Unreachable("no route")}
    await watch.tracker.sweep()
    assert len(keep(watch)) == 1
    watch.ledger.pause("aster", True)
    assert keep(watch) == []
    watch.ledger.pause("aster", False)
    assert len(keep(watch)) == 1
    assert keep(watch, exchanges=()) == []


async def test_an_exchange_that_was_never_collected_is_no_alarm(watch: Watch) -> None:
    watch.ledger.enable(["aster"], ["aster"])
    assert keep(watch) == []


async def test_nothing_is_written_while_nothing_changes(watch: Watch) -> None:
    watch.exchange.trouble = {"list": Unreachable("no route")}
    await watch.tracker.sweep()
    keep(watch)
    before = watch.ledger.writer.connection().total_changes
    keep(watch)
    assert watch.ledger.writer.connection().total_changes == before


async def test_an_alert_survives_a_restart_with_its_beginning(watch: Watch, clock: HandClock) -> None:
    watch.exchange.trouble = {"list": Unreachable("no route")}
    await watch.tracker.sweep()
    (alert,) = keep(watch)
    clock.advance(60)
    watch.restart()
    await watch.tracker.sweep()
    assert [(a.id, a.since) for a in keep(watch)] == [(alert.id, alert.since)]


def test_a_collector_that_died_is_kept_as_an_outage(ledger: Ledger, clock: HandClock) -> None:
    died = int(clock.now())
    with ledger.writer.transaction():
        presence.beat(ledger.writer, 77, "collector", "boot", died)
    clock.advance(3600)
    alerts.note_outage(ledger, clock.now())
    rows = ledger.writer.rows("SELECT kind, message, since, until FROM alert")
    assert rows == [
        ("collector", "the collector (process 77) died without a word", died, int(clock.now())),
    ]


def test_a_clean_stop_and_a_first_start_are_no_outage(ledger: Ledger, clock: HandClock) -> None:
    alerts.note_outage(ledger, clock.now())
    ledger.beat(77)
    ledger.stopped()
    alerts.note_outage(ledger, clock.now())
    assert ledger.writer.value("SELECT COUNT(*) FROM alert") == 0


def test_acknowledging_leaves_what_is_over_or_unknown(ledger: Ledger, clock: HandClock) -> None:
    with ledger.writer.transaction():
        alerts._open(ledger.writer, None, "collector", "gone", 100, 100)
    (alert,) = queries.open_alerts(ledger.writer)
    alerts.acknowledge(ledger, [alert.id, 999], clock.now())
    assert [a.acknowledged for a in queries.open_alerts(ledger.writer)] == [int(clock.now())]


async def test_the_collector_keeps_them_with_its_heartbeat_once_the_first_quotes_are_in(
    watch: Watch, clock: HandClock
) -> None:
    watch.exchange.trouble = {"list": Unreachable("no route")}
    collector = Collector(
        {"aster": watch.tracker},
        watch.ledger,
        clock,
        unheard,
        quotes_every_seconds=300,
        minutes={"aster": 5},
        pid=1,
    )
    await watch.tracker.sweep()
    collector.beat()
    assert queries.open_alerts(watch.ledger.writer) == [], "a start after a rest is no alarm"
    await collector._derive()
    assert [alert.kind for alert in queries.open_alerts(watch.ledger.writer)] == ["error"]
    watch.exchange.trouble = {}
    await watch.tracker.sweep()
    collector.beat()
    assert queries.open_alerts(watch.ledger.writer) == []
