"""What the ledger writes of a run stands or falls together: rows, counters, absences, summaries."""

import pytest

from fundwatch.collector.ledger import Ledger
from fundwatch.models import Source
from fundwatch.storage import summary, trackers
from fundwatch.storage.errors import StorageError
from fundwatch.storage.holes import missing
from tests.collector.scripted import NOON, HandClock, Watch, scripted

FULL = "no room left on the disk"


def fill(disk: pytest.MonkeyPatch, module: object, name: str) -> None:
    """From now on there is no room for what `name` writes about payments."""

    def write(*args: object, **about: object) -> None:
        if about.keys() != {"refused"}:  # which quotes are refused still fits in
            raise StorageError(FULL)

    disk.setattr(module, name, write)


@pytest.mark.parametrize(
    ("module", "name"),
    [(trackers, "count_rows"), (summary, "refresh"), (missing, "record_absence")],
    ids=["counters", "summaries", "absences"],
)
async def test_rows_whose_other_half_cannot_be_written_are_not_stored(
    module: object, name: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as disk:
        fill(disk, module, name)
        outcome = await watch.tracker.sweep()
    assert (outcome.word, outcome.error) == ("error", FULL)
    assert (watch.stored(), watch.state.total_records) == (0, 0)

    assert (await watch.tracker.sweep()).word == "ok"
    assert watch.stored() == watch.state.total_records == 30 * 24


async def test_estimates_are_not_recorded_without_being_counted(
    ledger: Ledger, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = scripted(clock, 30, source=Source.RECORDED, history_days=0, name="variational")
    watch = Watch(ledger, venue, clock)
    clock.wall = NOON - 60
    await watch.tracker.quotes_pass()
    clock.wall = NOON + 60
    with monkeypatch.context() as disk:
        fill(disk, trackers, "count_rows")
        assert (await watch.tracker.quotes_pass()).error == FULL
    assert (watch.stored(), watch.state.total_records) == (0, 0)

    await watch.tracker.quotes_pass()
    assert watch.stored() == watch.state.total_records == 30
