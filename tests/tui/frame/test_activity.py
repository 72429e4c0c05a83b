"""What the collector is doing, in a few words."""

from fundwatch.collector.events import Event, ImportProgress, Progress, RunEnded, RunStarted
from fundwatch.tui.frame.activity import Activity

SEVEN = ("lighter", "hyperliquid", "binance", "aster", "extended", "paradex", "variational")
NOON = 1_795_176_000.0


def after(*events: Event) -> str:
    activity = Activity()
    for event in events:
        activity.hear(event, NOON)
    return activity.words(SEVEN)


def ended(kind: str, exchange: str = "binance") -> RunEnded:
    return RunEnded(exchange, kind, 1, "ok", None, 0, 0, 0, 1.0, 1)


def reading(share: float, stage: str = "reading") -> ImportProgress:
    return ImportProgress(1, "binance", "BTCUSDT.zip", stage, share, 93, 0)


def test_nothing_goes_on_without_a_word() -> None:
    assert after() == ""
    assert after(RunStarted("binance", "quotes", 1)) == "", "a second every few minutes is not worth one"


def test_a_sweep_says_how_many_exchanges_are_through() -> None:
    both = RunStarted("binance", "sweep", 1), RunStarted("aster", "sweep", 2)
    assert after(*both) == "sweep 5/7"
    assert after(*both, ended("sweep")) == "sweep aster"


def test_a_backfill_says_how_much_of_it_is_done_also_where_its_start_was_missed() -> None:
    halves = Progress("binance", "backfill", 1, 100, 10, 9), Progress("aster", "backfill", 2, 100, 50, 9)
    assert after(*halves) == "backfill 30 %"


def test_an_import_says_how_far_it_is_from_the_first_line_read_to_its_end() -> None:
    assert after(reading(0.4)) == "reading binance 40 %"
    started = RunStarted("binance", "import", 3)
    assert after(reading(1.0), started, reading(0.25, "storing")) == "import binance 25 %"
    assert after(reading(1.0), started, reading(0.25, "storing"), ended("import")) == ""
    assert after(reading(0.4), ended("import")) == "", "a file that is refused starts no run"
    assert after(reading(0.4), RunStarted("aster", "sweep", 2)) == "sweep aster", "sweeps come first"
