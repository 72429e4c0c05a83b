"""The rules against a naive model, in which every hour of a market is a cell of a dict."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fundwatch.models import HOUR, Source
from fundwatch.storage.truth import REGULAR, Row, Stretch
from tests.storage.ledger import Ledger, hour, paid

RATES = (0.0, 0.0001, -0.0003)

Cells = dict[int, int]
"""hour of the day -> the funding time (hour) of the row that covers it"""


def row(end: int, rate: float, hours: float | None, rank: int = 3, run_id: int = 1) -> Row:
    return Row(hour(end), REGULAR, rate, hours, rank, run_id, None)


ROWS = st.builds(
    row,
    st.integers(1, 24),
    st.sampled_from(RATES),
    st.sampled_from([1.0, 1.0, 1.0, 2.0, 4.0, 8.0, None]),
)
CALLS = st.lists(st.tuples(st.sampled_from(list(Source)), st.lists(ROWS, max_size=12)), max_size=6)


def cells(stretch: Stretch) -> Cells:
    """Which row covers each hour; fails when two do."""
    covered: Cells = {}
    for found in stretch.rows.values():
        for end in range(found.funding_time, found.start, -HOUR) if found.covers else ():
            assert end not in covered, "an hour is covered twice"
            covered[end] = found.funding_time
    return covered


@settings(deadline=None)
@given(CALLS)
def test_no_hour_is_ever_covered_twice(calls: list[tuple[Source, list[Row]]]) -> None:
    stretch = Stretch()
    for run_id, (rank, rows) in enumerate(calls):
        stretch.add([item._replace(rank=rank, run_id=run_id) for item in rows])
        cells(stretch)
        assert all(key == found.key for key, found in stretch.rows.items())


@settings(deadline=None)
@given(CALLS)
def test_an_hour_that_is_covered_stays_covered_where_intervals_are_known(
    calls: list[tuple[Source, list[Row]]],
) -> None:
    stretch = Stretch()
    for run_id, (rank, rows) in enumerate(calls):
        before = set(cells(stretch))
        stretch.add([item._replace(rank=rank, run_id=run_id) for item in rows if item.hours is not None])
        assert before <= set(cells(stretch))


@settings(deadline=None)
@given(CALLS)
def test_the_rank_of_a_key_never_goes_down_and_its_rate_changes_only_upwards(
    calls: list[tuple[Source, list[Row]]],
) -> None:
    stretch = Stretch()
    for run_id, (rank, rows) in enumerate(calls):
        before = dict(stretch.rows)
        stretch.add([item._replace(rank=rank, run_id=run_id) for item in rows])
        for key, old in before.items():
            new = stretch.rows[key]
            assert new.rank >= old.rank
            finer = old.covers and new.covers and new.seconds < old.seconds
            if new.rank == old.rank != Source.RECORDED and not finer:
                assert new.rate == old.rate


def naive_hourly(calls: list[tuple[Source, int, list[Row]]]) -> dict[int, tuple[float, int]]:
    """Hourly rows only: the best rank wins, the first of it stays, the newest of recorded ones."""
    model: dict[int, tuple[float, int, int]] = {}
    for rank, run_id, rows in calls:
        for item in rows:
            rate, held, held_run = model.get(item.funding_time, (0.0, 0, 0))
            newer = rank == held == Source.RECORDED and rate != item.rate and run_id >= held_run
            if rank > held or newer:
                model[item.funding_time] = item.rate, rank, run_id
    return {time: (rate, rank) for time, (rate, rank, _) in model.items()}


HOURLY = st.builds(row, st.integers(1, 12), st.sampled_from(RATES), st.just(1.0))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Source)), st.integers(1, 4), st.lists(HOURLY, max_size=8)), max_size=8
    )
)
def test_hourly_rows_end_as_in_a_dict_of_hours(calls: list[tuple[Source, int, list[Row]]]) -> None:
    stretch = Stretch()
    for rank, run_id, rows in calls:
        stretch.add([item._replace(rank=rank, run_id=run_id) for item in rows])
    found = {time: (item.rate, item.rank) for (time, _), item in stretch.rows.items()}
    assert found == naive_hourly(calls)


@settings(deadline=None)
@given(st.integers(0, 3), st.sets(st.integers(1, 32)), st.sampled_from([2, 4, 8]))
def test_finer_rows_replace_exactly_the_coarser_ones_that_they_cover_whole(
    coarse_rank: int, fine: set[int], hours: int
) -> None:
    stretch = Stretch()
    rank = coarse_rank + 1
    stretch.add([row(end, 0.0008, float(hours), rank) for end in range(hours, 25, hours)])
    stretch.add([row(end, 0.0001, 1.0, Source.EXCHANGE, 2) for end in fine])
    whole = {
        end
        for end in range(hours, 25, hours)
        if rank <= Source.EXCHANGE and fine >= set(range(end - hours + 1, end + 1))
    }
    expected: Cells = {}
    for end in range(1, 25):
        block = -(-end // hours) * hours
        expected[hour(end)] = hour(end) if block in whole else hour(block)
    expected |= {hour(end): hour(end) for end in fine if end > 24}
    assert cells(stretch) == expected
    assert sum(item.seconds for item in stretch.rows.values()) == len(expected) * HOUR


@st.composite
def consistent(draw: st.DrawFn) -> list[tuple[Source, Row]]:
    """Rows that agree: one partition of three days, told in parts by several sources."""
    told: list[tuple[Source, Row]] = []
    end = 0
    while end < 72:
        hours = draw(st.sampled_from([1, 1, 2, 4, 8]))
        end += hours
        for source in draw(st.lists(st.sampled_from(list(Source)), max_size=3)):
            unsure = source != Source.RECORDED and draw(st.booleans()) and draw(st.booleans())
            told.append((source, row(end, 0.0001 * end, None if unsure else float(hours), source)))
    return told


@settings(deadline=None)
@given(consistent(), st.randoms(use_true_random=False))
def test_any_order_and_any_splitting_of_consistent_rows_ends_the_same(
    told: list[tuple[Source, Row]], random: Random
) -> None:
    def end_state() -> dict[tuple[int, int], tuple[float, float | None, int]]:
        random.shuffle(told)
        stretch = Stretch()
        left = list(told)
        while left:
            source = left[0][0]
            batch = [item for rank, item in left[: random.randint(1, len(left))] if rank == source]
            stretch.add(batch)
            for item in batch:
                left.remove((source, item))
        cells(stretch)
        assert not stretch.conflicts
        assert not stretch.refused
        return {key: (item.rate, item.hours, item.rank) for key, item in stretch.rows.items()}

    first = end_state()
    assert all(end_state() == first for _ in range(3))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    path: Path = tmp_path_factory.mktemp("truth") / "f.db"
    ledger = Ledger(path)
    yield ledger
    ledger.writer.close()


_numbers = count()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(list(Source)), st.lists(ROWS, max_size=10)), max_size=5))
def test_the_table_holds_what_the_rules_say_however_it_was_loaded_and_written(
    ledger: Ledger, calls: list[tuple[Source, list[Row]]]
) -> None:
    symbol = f"M{next(_numbers)}"
    ledger.market(symbol)
    stretch = Stretch()
    for rank, rows in calls:
        run_id = ledger.run(rank)
        stretch.add([item._replace(rank=rank, run_id=run_id) for item in rows])
        stored = ledger.save(
            *(
                paid((item.funding_time - hour(0)) / HOUR, item.rate, item.hours, symbol=symbol)
                for item in rows
            ),
            run_id=run_id,
        )
        assert min(stored[:5]) >= 0
        assert sum(stored[:5]) == len(rows)
    found = ledger.writer.rows(
        "SELECT funding_time, s.kind, rate, interval_hours, source, run_id, payment_usd FROM settlement s"
        " JOIN market m ON m.id = market_id JOIN run r ON r.id = run_id WHERE symbol = ?",
        symbol,
    )
    assert found == sorted(stretch.rows.values())
