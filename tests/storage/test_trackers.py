import tempfile
from pathlib import Path
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fundwatch.models import Source
from fundwatch.storage import trackers
from fundwatch.storage.database import Writer, open_writer
from fundwatch.storage.trackers import Outcome, RunKind, TrackerState


def begin(writer: Writer, kind: RunKind = "sweep", now: float = 1000.0, exchange: str = "lighter") -> int:
    with writer.transaction():
        return trackers.begin_run(writer, exchange, kind, Source.EXCHANGE, 1, now)


def end(writer: Writer, run_id: int, outcome: Outcome = "ok", now: float = 1100.0, **more: Any) -> None:
    with writer.transaction():
        trackers.end_run(writer, run_id, outcome=outcome, now=now, **more)


def state(writer: Writer, exchange: str = "lighter") -> TrackerState:
    found = trackers.state(writer, exchange)
    assert found is not None
    return found


def test_an_exchange_has_no_state_before_its_first_mention(writer: Writer) -> None:
    assert trackers.state(writer, "lighter") is None
    assert trackers.states(writer) == {}


def test_a_run_in_progress_is_seen(writer: Writer) -> None:
    begin(writer, now=1000.9)

    found = state(writer)
    assert (found.status, found.last_run, found.last_success) == ("running", 1000, None)
    assert found.total_runs == 1


def test_a_complete_sweep_succeeds_at_its_start_and_clears_every_error(writer: Writer) -> None:
    end(writer, begin(writer), "error", error="timed out")
    end(writer, begin(writer, "quotes"), "error", error="no quotes")
    end(writer, begin(writer, now=5000), now=5060, requests=7, markets_expected=190, markets_failed=0)

    found = state(writer)
    assert (found.status, found.last_success, found.last_error) == ("idle", 5000, None)
    assert (found.sweep_error, found.quotes_error, found.last_outcome) == (None, None, "ok")
    assert (found.consecutive_failures, found.total_runs, found.requests) == (0, 3, 7)
    assert (found.markets_expected, found.markets_failed) == (190, 0)


def test_partial_is_not_success(writer: Writer) -> None:
    end(writer, begin(writer, now=1000))
    end(writer, begin(writer, now=4600), "partial", error="partial 187/190: 3 bad rate", markets_failed=3)

    found = state(writer)
    assert (found.status, found.last_success, found.last_run) == ("error", 1000, 4600)
    assert found.last_error == found.sweep_error == "partial 187/190: 3 bad rate"
    assert (found.last_outcome, found.consecutive_failures, found.markets_failed) == ("partial", 1, 3)


def test_failures_in_a_row_are_counted_until_one_sweep_is_complete(writer: Writer) -> None:
    for _ in range(3):
        end(writer, begin(writer), "error", error="503")
    assert state(writer).consecutive_failures == 3

    end(writer, begin(writer))
    assert state(writer).consecutive_failures == 0


def test_good_quotes_neither_hide_a_failed_sweep_nor_count_as_success(writer: Writer) -> None:
    end(writer, begin(writer), "error", error="503")
    end(writer, begin(writer, "quotes"))

    found = state(writer)
    assert (found.status, found.last_error, found.last_success) == ("error", "503", None)


def test_failed_quotes_are_an_error_of_their_own_until_quotes_arrive(writer: Writer) -> None:
    end(writer, begin(writer, now=1000))
    end(writer, begin(writer, "quotes"), "error", error="timed out")
    found = state(writer)
    assert (found.status, found.last_error, found.sweep_error) == ("error", "timed out", None)
    assert (found.last_success, found.consecutive_failures) == (1000, 0)

    end(writer, begin(writer, "quotes"))
    assert (state(writer).status, state(writer).last_error) == ("idle", None)


def test_a_backfill_changes_no_verdict(writer: Writer) -> None:
    end(writer, begin(writer, now=1000), "error", error="503")
    end(writer, begin(writer, "backfill", now=2000))
    found = state(writer)
    assert (found.status, found.last_error, found.last_success) == ("error", "503", None)

    end(writer, begin(writer, now=3000))
    end(writer, begin(writer, "backfill", now=4000), "error", error="451 not served here")
    found = state(writer)
    assert (found.status, found.last_error, found.last_success) == ("idle", None, 3000)
    assert (found.last_run, found.total_runs) == (4000, 4)
    assert writer.value("SELECT error FROM run WHERE started = 4000") == "451 not served here"


def test_an_import_is_a_run_but_none_of_the_collector(writer: Writer) -> None:
    with writer.transaction():
        run_id = trackers.begin_run(
            *(writer, "binance", "import", Source.IMPORT, 1, 50), file_name="a.zip", file_sha256="f" * 64
        )
    assert state(writer, "binance").status == "running"
    end(writer, run_id)

    found = state(writer, "binance")
    assert (found.status, found.last_run, found.total_runs) == ("idle", None, 0)
    assert writer.rows("SELECT kind, source, file_name, outcome FROM run") == [("import", 2, "a.zip", "ok")]


def test_a_sweep_stays_running_while_the_backfill_beside_it_ends(writer: Writer) -> None:
    sweep, backfill = begin(writer), begin(writer, "backfill")

    end(writer, backfill)
    assert state(writer).status == "running"
    end(writer, sweep)
    assert state(writer).status == "idle"


def test_a_sweep_cut_short_is_not_idle_but_nobodys_failure(writer: Writer) -> None:
    end(writer, begin(writer, now=1000))
    end(writer, begin(writer, now=2000), "interrupted", error="stopped before it was complete")

    found = state(writer)
    assert (found.status, found.last_error) == ("error", "stopped before it was complete")
    assert (found.last_success, found.consecutive_failures, found.last_outcome) == (1000, 0, "ok")


def test_ending_a_run_twice_counts_once(writer: Writer) -> None:
    run_id = begin(writer)
    end(writer, run_id, "error", error="503", requests=5)
    end(writer, run_id, "ok", requests=5)

    found = state(writer)
    assert (found.status, found.last_error, found.consecutive_failures, found.requests) == (
        "error",
        "503",
        1,
        5,
    )


def test_rows_are_counted_for_the_run_and_the_tracker_at_once(writer: Writer) -> None:
    run_id = begin(writer)
    with writer.transaction():
        trackers.count_rows(writer, run_id, inserted=90, replaced=2, conflicts=1, refused=4)
        trackers.count_rows(writer, run_id, inserted=10)

    assert state(writer).total_records == 100
    assert writer.rows("SELECT inserted, replaced, conflicts, refused FROM run") == [(100, 2, 1, 4)]


def test_what_an_exchange_says_is_cleaned_before_it_is_an_error_text(writer: Writer) -> None:
    end(writer, begin(writer), "error", error="\x1b]52;c;ZXZpbA==\x07 503\n" + "x" * 1000)

    text = state(writer).last_error
    assert text is not None
    assert len(text) == 300
    assert text.startswith("]52;c;ZXZpbA== 503 x")


def test_what_was_taken_back_during_a_run_stays_undone(writer: Writer) -> None:
    run_id = begin(writer)
    with writer.transaction():
        writer.change("UPDATE run SET outcome = 'undone' WHERE id = ?", run_id)
    assert state(writer).status == "running"
    end(writer, run_id, "error", error="the unit is 8 times off")

    assert writer.value("SELECT outcome FROM run") == "undone"
    assert (state(writer).status, state(writer).last_error) == ("error", "the unit is 8 times off")


def test_a_start_ends_what_a_dead_process_left_running(path: Path) -> None:
    first = open_writer(path, world="real")
    end(first, begin(first, now=1000))
    begin(first, "sweep", now=1_790_000_000)
    begin(first, "quotes", exchange="aster")
    end(first, begin(first, exchange="binance"))
    first.close()

    second = open_writer(path, world="real")
    with second.transaction():
        assert trackers.recover(second, 1_790_000_500) == ["lighter", "aster"]
    told = "interrupted: the program ended during the sweep of 2026-09-21 14:13 UTC"
    assert (state(second).status, state(second).last_error, state(second).last_success) == (
        "error",
        told,
        1000,
    )
    assert state(second, "aster").quotes_error is not None
    assert state(second, "binance").status == "idle"
    assert second.rows("SELECT DISTINCT outcome, ended FROM run WHERE error IS NOT NULL") == [
        ("interrupted", 1_790_000_500)
    ]

    end(second, begin(second, "quotes", exchange="aster"))
    end(second, begin(second, now=1_790_000_600))
    assert [found.status for found in trackers.states(second).values()] == ["idle"] * 3
    second.close()


def test_nothing_left_running_is_nothing_to_recover(writer: Writer) -> None:
    end(writer, begin(writer))
    with writer.transaction():
        assert trackers.recover(writer, 2000) == []
    assert state(writer).status == "idle"


def test_a_pause_and_the_next_try_survive_a_restart(path: Path) -> None:
    first = open_writer(path, world="real")
    with first.transaction():
        trackers.set_paused(first, "aster", True)
        trackers.swept(first, "aster", 497222, 1790003600.7)
        trackers.swept(first, "aster", None, None)
    first.close()

    second = open_writer(path, world="real")
    found = state(second, "aster")
    assert (found.paused, found.last_sweep_hour, found.next_try) == (True, 497222, None)
    with second.transaction():
        trackers.set_paused(second, "aster", False)
        trackers.swept(second, "aster", None, 1790003600.7)
    found = state(second, "aster")
    assert (found.paused, found.last_sweep_hour, found.next_try) == (False, 497222, 1790003600)
    second.close()


def test_exchanges_that_are_not_configured_stay_known_but_disabled(writer: Writer) -> None:
    with writer.transaction():
        trackers.set_enabled(writer, ["aster", "lighter"])
        trackers.set_enabled(writer, ["lighter", "paradex"])

    assert {name: found.enabled for name, found in trackers.states(writer).items()} == {
        "aster": False,
        "lighter": True,
        "paradex": True,
    }


class TrackerMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, the tracker's row says what is true."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.writer = open_writer(Path(self.folder.name) / "f.db", world="real")
        with self.writer.transaction():
            trackers.exchange_id(self.writer, "lighter")
        self.now = 1000
        self.open_runs: dict[int, tuple[RunKind, int]] = {}
        self.runs = self.rows = 0
        self.success: int | None = None
        self.sweep_failed = self.quotes_failed = False

    @rule(kind=st.sampled_from(get_args(RunKind)))
    def begin(self, kind: RunKind) -> None:
        self.now += 10
        self.open_runs[begin(self.writer, kind, self.now)] = (kind, self.now)
        self.runs += kind != "import"

    @precondition(lambda self: self.open_runs)
    @rule(data=st.data(), outcome=st.sampled_from(get_args(Outcome)), rows=st.integers(0, 5))
    def end(self, data: st.DataObject, outcome: Outcome, rows: int) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.open_runs)))
        kind, started = self.open_runs.pop(run_id)
        self.now += 10
        with self.writer.transaction():
            trackers.count_rows(self.writer, run_id, inserted=rows)
            trackers.end_run(
                self.writer, run_id, outcome=outcome, now=self.now, error="\x07" if rows else None
            )
        self.rows += rows
        if kind == "sweep":
            self.sweep_failed = outcome != "ok"
            if outcome == "ok":
                self.success, self.quotes_failed = started, False
        elif kind == "quotes" and outcome in ("ok", "partial", "error"):
            self.quotes_failed = outcome != "ok"

    @rule()
    def die_and_start_again(self) -> None:
        self.writer.close()
        self.writer = open_writer(Path(self.folder.name) / "f.db", world="real")
        with self.writer.transaction():
            trackers.recover(self.writer, self.now)
        for kind, _ in self.open_runs.values():
            self.sweep_failed |= kind == "sweep"
            self.quotes_failed |= kind not in ("sweep", "import")
        self.open_runs.clear()

    @invariant()
    def the_row_is_true(self) -> None:
        found = state(self.writer)
        failed = self.sweep_failed or self.quotes_failed
        assert found.status == ("running" if self.open_runs else "error" if failed else "idle")
        assert bool(found.last_error) == failed
        assert bool(found.sweep_error) == self.sweep_failed
        assert bool(found.quotes_error) == self.quotes_failed
        assert (found.last_success, found.total_runs, found.total_records) == (
            *(self.success, self.runs, self.rows),
        )

    def teardown(self) -> None:
        self.writer.close()
        self.folder.cleanup()


TrackerMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestTrackerMachine = TrackerMachine.TestCase
