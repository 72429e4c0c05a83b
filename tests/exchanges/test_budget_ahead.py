"""What a budget spends is noted before it is spent, so that a death in the middle forgets nothing."""

from collections.abc import Mapping

from fundwatch.exchanges.budget import NOTED_AHEAD_SHARE, Budget, Limit
from tests.virtual_time import VirtualClock

LIMITS = {"requests": Limit(100, 60)}
OURS = 80.0


def noting(clock: VirtualClock) -> tuple[Budget, list[float]]:
    noted: list[float] = []

    def note(spent: Mapping[str, float]) -> None:
        noted.append(spent["requests"])

    budget = Budget(LIMITS, clock)
    budget.note = note
    return budget, noted


async def test_never_more_is_spent_than_was_noted() -> None:
    budget, noted = noting(VirtualClock())
    for number in range(1, 81):
        await budget.take({"requests": 1})
        assert noted[-1] >= number
    assert len(noted) <= 1 / NOTED_AHEAD_SHARE + 1


async def test_what_was_noted_ahead_is_in_the_snapshot_too() -> None:
    """Else the end of one run would take back what another one still spends of it."""
    budget, noted = noting(VirtualClock())
    await budget.take({"requests": 1})
    assert budget.snapshot() == {"requests": noted[-1]}


async def test_a_request_heavier_than_the_note_is_noted_whole() -> None:
    budget, noted = noting(VirtualClock())
    await budget.take({"requests": 50})
    assert noted[-1] >= 50


async def test_no_more_than_our_pace_is_ever_noted() -> None:
    budget, noted = noting(VirtualClock())
    for _ in range(80):
        await budget.take({"requests": 1})
    assert max(noted) == OURS
