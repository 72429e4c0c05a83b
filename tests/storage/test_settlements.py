import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fundwatch.models import HOUR, Kind, Settlement, Source
from fundwatch.storage.settlements import Stored
from tests.storage.ledger import LATER, Ledger, hour, paid


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC", "ETH")
    yield ledger
    ledger.writer.close()


def counts(stored: Stored) -> tuple[int, int, int, int, int]:
    return stored[:5]


def test_new_hours_are_stored_and_told_again_are_unchanged(ledger: Ledger) -> None:
    rows = [paid(1), paid(2), paid(1, symbol="ETH")]
    first = ledger.save(*rows)
    assert counts(first) == (3, 0, 0, 0, 0)
    assert len(first.market_ids) == 2
    again = ledger.save(*rows)
    assert counts(again) == (0, 0, 3, 0, 0)
    assert again.market_ids == frozenset()
    assert ledger.stored() == [(1, 0.0001, 1), (2, 0.0001, 1)]


def test_the_order_within_a_call_does_not_matter(ledger: Ledger) -> None:
    assert counts(ledger.save(paid(3), paid(1), paid(2))) == (3, 0, 0, 0, 0)


def test_a_row_told_twice_in_one_call_counts_once(ledger: Ledger) -> None:
    assert counts(ledger.save(paid(1), paid(1), paid(2))) == (2, 0, 1, 0, 0)


def test_the_provenance_of_a_row_is_its_run(ledger: Ledger) -> None:
    run_id = ledger.run()
    ledger.save(paid(1), run_id=run_id)
    ledger.save(paid(1))
    assert ledger.writer.rows("SELECT run_id FROM settlement") == [(run_id,)]


def test_a_run_that_does_not_exist_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no run 77"):
        ledger.save(paid(1), run_id=77)


# Rank of truth


def test_the_exchange_replaces_an_import_and_keeps_the_interval_that_only_the_import_knew(
    ledger: Ledger,
) -> None:
    ledger.save(paid(8, 0.0001, 8), source=Source.IMPORT)
    assert counts(ledger.save(paid(8, 0.0001, None))) == (0, 1, 0, 0, 0)
    assert ledger.stored() == [(8, 0.0001, 8)]


def test_an_interval_is_not_taken_over_from_a_row_of_another_rate(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0000125, 1), source=Source.IMPORT)
    ledger.save(paid(8, 0.0001, None))
    assert ledger.stored() == [(8, 0.0001, None)]


@pytest.mark.parametrize("lower", [Source.IMPORT, Source.RECORDED])
def test_a_lower_rank_never_replaces_a_higher_one(ledger: Ledger, lower: Source) -> None:
    ledger.save(paid(1, 0.0001))
    assert counts(ledger.save(paid(1, 0.0007), source=lower)) == (0, 0, 1, 0, 0)
    assert ledger.stored() == [(1, 0.0001, 1)]


def test_a_higher_rank_replaces_a_lower_one(ledger: Ledger) -> None:
    ledger.save(paid(1, 0.0003), source=Source.RECORDED)
    assert counts(ledger.save(paid(1, 0.0002), source=Source.IMPORT)) == (0, 1, 0, 0, 0)
    assert counts(ledger.save(paid(1, 0.0001))) == (0, 1, 0, 0, 0)
    assert ledger.stored() == [(1, 0.0001, 1)]
    assert ledger.writer.value("SELECT count(*) FROM conflict") == 0


def test_a_newer_recorded_rate_replaces_an_older_one_but_not_the_other_way_round(ledger: Ledger) -> None:
    older = ledger.run(Source.RECORDED)
    newer = ledger.run(Source.RECORDED)
    ledger.save(paid(1, 0.0002), run_id=newer)
    assert counts(ledger.save(paid(1, 0.0001), run_id=older)) == (0, 0, 1, 0, 0)
    assert counts(ledger.save(paid(1, 0.0003), run_id=newer)) == (0, 1, 0, 0, 0)
    assert ledger.stored() == [(1, 0.0003, 1)]


def test_another_settled_rate_is_a_conflict_that_is_kept_and_counted(ledger: Ledger) -> None:
    ledger.save(paid(1, 0.0001), paid(2, 0.0001))
    assert counts(ledger.save(paid(1, 0.0002), paid(2, 0.0001))) == (0, 0, 1, 1, 0)
    ledger.save(paid(1, 0.0002))
    assert ledger.stored()[0] == (1, 0.0001, 1)
    assert ledger.writer.rows("SELECT seen_rate, stored_rate, times, first_seen FROM conflict") == [
        (0.0002, 0.0001, 2, LATER)
    ]


def test_a_difference_of_the_last_digits_is_no_conflict(ledger: Ledger) -> None:
    ledger.save(paid(1, 0.0001))
    assert counts(ledger.save(paid(1, 0.0001 * (1 + 5e-10)))) == (0, 0, 1, 0, 0)
    assert counts(ledger.save(paid(1, 0.0001 * (1 + 5e-9)))) == (0, 0, 0, 1, 0)
    assert counts(ledger.save(paid(1, -0.0001))) == (0, 0, 0, 1, 0)


def test_what_a_row_did_not_know_is_filled_in_and_never_lost(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0001, None))
    assert counts(ledger.save(paid(8, 0.0001, 8, payment=0.5))) == (0, 1, 0, 0, 0)
    assert counts(ledger.save(paid(8, 0.0001, None))) == (0, 0, 1, 0, 0)
    assert ledger.stored() == [(8, 0.0001, 8)]
    assert ledger.writer.value("SELECT payment_usd FROM settlement") == 0.5


def test_the_same_payment_with_another_interval_stays_as_it_was_first_known(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0001, 8))
    assert counts(ledger.save(paid(8, 0.0001, 4))) == (0, 0, 1, 0, 0)
    assert counts(ledger.save(paid(8, 0.0001, 16))) == (0, 0, 1, 0, 0)
    assert ledger.stored() == [(8, 0.0001, 8)]


def test_the_exchange_corrects_the_interval_of_an_import(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0000125, 1), source=Source.IMPORT)
    assert counts(ledger.save(paid(8, 0.0001, 8))) == (0, 1, 0, 0, 0)
    assert ledger.stored() == [(8, 0.0001, 8)]


# No hour twice


def test_a_complete_finer_set_takes_the_place_of_a_coarser_row(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0008, 8))
    fine = [paid(end, 0.0001 * end) for end in range(1, 9)]
    assert counts(ledger.save(*fine)) == (7, 1, 0, 0, 0)
    assert ledger.stored() == [(end, 0.0001 * end, 1) for end in range(1, 9)]
    assert ledger.writer.value("SELECT count(*) FROM conflict") == 0


@pytest.mark.parametrize("missing", [1, 4, 8])
def test_an_incomplete_finer_set_leaves_the_coarser_row(ledger: Ledger, missing: int) -> None:
    ledger.save(paid(8, 0.0008, 8))
    fine = [paid(end, 0.0002) for end in range(1, 9) if end != missing]
    stored = ledger.save(*fine, paid(9))
    assert counts(stored) == (1, 0, 0, 0, 7)
    assert stored.reasons == {"its hours overlap a stored settlement": 7}
    assert ledger.stored() == [(8, 0.0008, 8), (9, 0.0001, 1)]


def test_a_finer_set_of_mixed_intervals_counts_as_complete(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0008, 8))
    assert counts(ledger.save(paid(4, 0.0004, 4), paid(5), paid(6), paid(8, 0.0002, 2))) == (3, 1, 0, 0, 0)
    assert [row[0] for row in ledger.stored()] == [4, 5, 6, 8]


def test_a_finer_set_of_a_lower_rank_leaves_the_coarser_row(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0008, 8))
    fine = [paid(end, 0.0001) for end in range(1, 9)]
    assert counts(ledger.save(*fine, source=Source.IMPORT)) == (0, 0, 0, 0, 8)


def test_a_finer_set_of_a_higher_rank_takes_the_place(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0008, 8), source=Source.IMPORT)
    assert counts(ledger.save(paid(4, 0.0001, 4), paid(8, 0.0001, 4))) == (1, 1, 0, 0, 0)


def test_a_coarser_row_never_replaces_finer_ones(ledger: Ledger) -> None:
    ledger.save(*(paid(end) for end in range(1, 9)), source=Source.IMPORT)
    assert counts(ledger.save(paid(8, 0.0008, 8))) == (0, 0, 0, 0, 1)
    assert counts(ledger.save(paid(12, 0.0008, 8))) == (0, 0, 0, 0, 1)
    assert len(ledger.stored()) == 8


def test_a_row_that_reaches_over_the_edge_of_a_stored_one_is_refused(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0008, 8), paid(24, 0.0008, 8))
    assert counts(ledger.save(paid(10, 0.0001, 4))) == (0, 0, 0, 0, 1)
    assert counts(ledger.save(paid(17, 0.0001, 4), paid(16, 0.0001, 8))) == (1, 0, 0, 0, 1)


def test_of_one_call_the_finer_rows_stand_when_they_are_complete_and_the_coarser_row_when_not(
    ledger: Ledger,
) -> None:
    ledger.save(paid(4, 0.0004, 4), paid(3), paid(8, 0.0004, 4), *(paid(end) for end in (5, 6, 7, 8)))
    assert [(end, hours) for end, _, hours in ledger.stored()] == [(4, 4), (5, 1), (6, 1), (7, 1), (8, 1)]


def test_a_row_of_unknown_interval_blocks_nothing_and_is_learnt_with_a_finer_set(ledger: Ledger) -> None:
    assert counts(ledger.save(paid(4, 0.0004, None), paid(8, 0.0008, 8))) == (2, 0, 0, 0, 0)
    assert counts(ledger.save(paid(4, 0.0004, 4))) == (0, 0, 0, 0, 1)
    assert counts(ledger.save(paid(4, 0.0004, 4), paid(8, 0.0003, 4))) == (0, 2, 0, 0, 0)
    assert ledger.stored() == [(4, 0.0004, 4), (8, 0.0003, 4)]


def test_an_interval_is_not_learnt_over_hours_that_are_taken(ledger: Ledger) -> None:
    ledger.save(paid(8, 0.0001, None), paid(6, 0.0001, 4))
    assert counts(ledger.save(paid(8, 0.0002, 4), source=Source.EXCHANGE)) == (0, 0, 0, 0, 1)
    assert ledger.stored() == [(6, 0.0001, 4), (8, 0.0001, None)]


def test_a_special_payment_stands_beside_a_regular_one_and_covers_nothing(ledger: Ledger) -> None:
    special = paid(8, -0.01, None, kind=Kind.SPECIAL)
    assert counts(ledger.save(paid(8, 0.0001, 8), special)) == (2, 0, 0, 0, 0)
    assert counts(ledger.save(special)) == (0, 0, 1, 0, 0)
    assert ledger.stored() == [(8, 0.0001, 8), (8, -0.01, 0)]


# Guards


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (replace(paid(1), funding_time=hour(1) + 1), "full hour"),
        (replace(paid(1), funding_time=(LATER // HOUR + 1) * HOUR), "future"),
        (replace(paid(1), funding_time=1_451_606_400), "2016"),
        (paid(1, math.nan), "absurd"),
        (paid(1, math.inf, None), "absurd"),
        (paid(1, 0.11), "absurd"),
        (paid(1, -0.81, 8), "absurd"),
        (paid(1, 0.81, None), "absurd"),
        (paid(1, 0.0001, 0), "interval"),
        (paid(1, 0.0001, math.nan), "interval"),
        (paid(1, 0.0001, 200), "interval"),
        (paid(1, 1.01, None, kind=Kind.SPECIAL), "absurd"),
        (paid(1, symbol="nowhere"), "not known"),
    ],
)
def test_a_row_that_cannot_be_is_refused_and_the_others_are_stored(
    ledger: Ledger, row: Settlement, reason: str
) -> None:
    stored = ledger.save(paid(5), row, paid(6))
    assert counts(stored) == (2, 0, 0, 0, 1)
    assert reason in next(iter(stored.reasons))


@pytest.mark.parametrize(
    "row",
    [
        paid(1, 0.1),
        paid(8, -0.8, 8),
        paid(1, 0.8, None),
        paid(1, -1.0, None, kind=Kind.SPECIAL),
        paid(1, 0.0),
    ],
)
def test_extremes_are_kept(ledger: Ledger, row: Settlement) -> None:
    assert ledger.save(row).inserted == 1


def test_a_payment_may_lie_ten_minutes_in_the_future_of_a_clock_that_is_late(ledger: Ledger) -> None:
    assert ledger.save(paid(1), now=hour(1) - 600).inserted == 1
    assert ledger.save(paid(2), now=hour(2) - 601).refused == 1


# The short way for rows that need no decisions


CALLS = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from([1.0, 1.0, 2.0, 4.0, 8.0, None]), st.sampled_from([1, 2])),
    min_size=1,
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CALLS, min_size=1, max_size=4), st.booleans())
def test_the_short_way_stores_what_the_long_way_does(
    ledger: Ledger, calls: list[list[tuple[int, float | None, int]]], in_order: bool
) -> None:
    found = []
    for short in (True, False):
        with ledger.writer.transaction():
            for table in ("settlement", "conflict"):
                ledger.writer.executemany(f"DELETE FROM {table}", [()])
        with pytest.MonkeyPatch.context() as patched:
            if not short:
                patched.setattr("fundwatch.storage.settlements._plain", lambda *_: None)
            stored = []
            for call in calls:
                rows = [paid(end, rate * 1e-4, hours) for end, hours, rate in call]
                if in_order:
                    rows.sort(key=lambda row: row.funding_time)
                stored.append(ledger.save(*rows))
        everything = ledger.writer.rows(
            "SELECT funding_time, kind, rate, interval_hours FROM settlement ORDER BY 1, 2"
        )
        conflicts = ledger.writer.rows(
            "SELECT funding_time, seen_rate, stored_rate, times FROM conflict ORDER BY 1, 2, 3"
        )
        found.append((everything, conflicts, stored))
    assert found[0] == found[1]
