import pytest

from fundwatch.storage import alerts
from fundwatch.storage.database import Writer


@pytest.mark.parametrize("exchange", ["lighter", None])
def test_an_alert_opens_once_and_closes_once(writer: Writer, exchange: str | None) -> None:
    with writer.transaction():
        assert alerts.open_alert(writer, exchange, "stale", "quotes are 2 h old", 100)
        assert not alerts.open_alert(writer, exchange, "stale", "quotes are 3 h old", 200)
    (found,) = alerts.open_alerts(writer)
    assert (found.exchange, found.message, found.since, found.until) == (
        exchange,
        "quotes are 3 h old",
        100,
        None,
    )

    with writer.transaction():
        assert alerts.close_alert(writer, exchange, "stale", 300)
        assert not alerts.close_alert(writer, exchange, "stale", 400)
    assert alerts.open_alerts(writer) == []
    assert writer.rows("SELECT since, until FROM alert") == [(100, 300)]


def test_alerts_of_other_exchanges_and_kinds_stand_beside_it(writer: Writer) -> None:
    with writer.transaction():
        for exchange, kind in [
            ("lighter", "stale"),
            ("aster", "stale"),
            ("lighter", "unit"),
            (None, "stale"),
        ]:
            assert alerts.open_alert(writer, exchange, kind, "why", 100)
        alerts.close_alert(writer, None, "stale", 200)

    assert [(found.exchange, found.kind) for found in alerts.open_alerts(writer)] == [
        ("lighter", "stale"),
        ("aster", "stale"),
        ("lighter", "unit"),
    ]


def test_an_alert_fires_anew_after_it_was_over(writer: Writer) -> None:
    with writer.transaction():
        alerts.open_alert(writer, "aster", "stale", "why", 100)
        alerts.close_alert(writer, "aster", "stale", 200)
        assert alerts.open_alert(writer, "aster", "stale", "why", 300)
    assert [found.since for found in alerts.open_alerts(writer)] == [300]


def test_an_alert_is_acknowledged_once_and_stays_open(writer: Writer) -> None:
    with writer.transaction():
        alerts.open_alert(writer, "aster", "stale", "why", 100)
        (found,) = alerts.open_alerts(writer)
        assert alerts.acknowledge(writer, found.id, 150)
        assert not alerts.acknowledge(writer, found.id, 160)
    assert [found.acknowledged for found in alerts.open_alerts(writer)] == [150]


def test_an_event_names_its_exchange_and_is_safe_to_show(writer: Writer) -> None:
    with writer.transaction():
        alerts.add_event(writer, "unit", "8 times\x1b[31m off", 100.5, exchange="aster", value=8.0)
        alerts.add_event(writer, "started", "collecting", 200)

    assert writer.rows(
        "SELECT time, name, event.kind, message, value FROM event LEFT JOIN exchange"
        " ON exchange.id = exchange_id ORDER BY time"
    ) == [(100, "aster", "unit", "8 times[31m off", 8.0), (200, None, "started", "collecting", None)]
