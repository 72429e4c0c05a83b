import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundwatch.exchanges.budget import BACKGROUND_SHARE, PACE, Budget, Limit, in_background
from tests.virtual_time import LoopClock, VirtualClock, run_virtually

Spent = list[tuple[float, float]]
"""When (seconds) how much weight was let through."""


def fullest_window(spent: Spent, seconds: float) -> float:
    """The most weight that any half-open window of `seconds` holds (its edge sharp to a microsecond)."""
    return max(sum(w for at, w in spent if end - seconds + 1e-6 < at <= end) for end, _ in spent)


async def take(budget: Budget, weight: float, spent: Spent, name: str = "weight") -> None:
    await budget.take({name: weight})
    spent.append((asyncio.get_running_loop().time(), weight))


async def in_the_background(work: Coroutine[Any, Any, None]) -> None:
    in_background.set(True)
    await work


@settings(max_examples=60, deadline=None)
@given(
    weight=st.integers(20, 3000),
    seconds=st.sampled_from([1.0, 10.0, 60.0, 300.0]),
    scale=st.sampled_from([0.5, 1.0, 3.7]),
    requests=st.lists(
        st.tuples(st.floats(0, 600), st.integers(1, 8), st.booleans()), min_size=1, max_size=120
    ),
)
def test_no_window_ever_holds_more_than_our_pace(
    weight: int, seconds: float, scale: float, requests: list[tuple[float, int, bool]]
) -> None:
    spent: Spent = []

    async def ask(budget: Budget, at: float, cost: float, background: bool) -> None:
        in_background.set(background)
        await asyncio.sleep(at)
        await take(budget, cost, spent)

    async def main() -> None:
        budget = Budget({"weight": Limit(weight, seconds)}, LoopClock(), scale)
        await asyncio.gather(*(ask(budget, at, cost, background) for at, cost, background in requests))

    run_virtually(main())
    assert len(spent) == len(requests)
    assert fullest_window(spent, seconds) <= max(PACE * weight * scale, max(w for _, w in spent)) + 1e-6


@settings(max_examples=40, deadline=None)
@given(costs=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=1, max_size=80))
def test_every_limit_that_a_request_names_is_kept(costs: list[tuple[int, int]]) -> None:
    limits = {"minute": Limit(100, 60), "burst": Limit(5, 1)}
    spent: dict[str, Spent] = {"minute": [], "burst": []}

    async def ask(budget: Budget, spend: dict[str, float]) -> None:
        await budget.take(spend)
        for name, weight in spend.items():
            spent[name].append((asyncio.get_running_loop().time(), weight))

    async def main() -> None:
        budget = Budget(limits, LoopClock())
        spends = [{n: float(w) for n, w in zip(limits, cost, strict=True) if w} for cost in costs]
        await asyncio.gather(*(ask(budget, spend) for spend in spends))

    run_virtually(main())
    for name, limit in limits.items():
        if spent[name]:
            assert fullest_window(spent[name], limit.seconds) <= PACE * limit.weight + 1e-6


def test_a_long_row_takes_little_more_than_the_least_time_that_the_pace_allows() -> None:
    spent: Spent = []

    async def main() -> None:
        budget = Budget({"weight": Limit(60, 60)}, LoopClock())
        await asyncio.gather(*(take(budget, 1, spent) for _ in range(480)))

    run_virtually(main())
    floor = (480 / 48 - 1) * 60
    assert floor <= spent[-1][0] - spent[0][0] <= floor * 1.01


def test_a_row_of_background_requests_takes_as_long_as_was_foretold() -> None:
    spent: Spent = []

    async def main() -> float:
        budget = Budget({"weight": Limit(1000, 60)}, LoopClock())
        in_background.set(True)
        await asyncio.gather(*(take(budget, 20, spent) for _ in range(720)))
        return budget.seconds_for({"weight": 720 * 20})

    foretold = run_virtually(main())
    assert foretold == pytest.approx(1200)
    assert spent[-1][0] - spent[0][0] == pytest.approx(foretold - 60, rel=0.05)


def test_waiters_are_served_in_order_and_only_the_first_in_line_wakes() -> None:
    clock = LoopClock()
    served: list[int] = []

    async def ask(budget: Budget, number: int) -> None:
        await budget.take({"weight": 1})
        served.append(number)

    async def main() -> None:
        budget = Budget({"weight": Limit(100, 10)}, clock)
        await asyncio.gather(*(ask(budget, number) for number in range(4000)))

    began = time.perf_counter()
    run_virtually(main())
    assert served == list(range(4000))
    assert clock.sleeps <= 4000 / 80
    assert time.perf_counter() - began < 5


def test_background_work_leaves_a_tenth_for_what_is_urgent() -> None:
    async def main() -> None:
        clock = LoopClock()
        budget = Budget({"weight": Limit(100, 60)}, clock)
        background = asyncio.create_task(in_the_background(_many(budget, 300)))
        await asyncio.sleep(1)
        assert budget.snapshot()["weight"] == pytest.approx(PACE * BACKGROUND_SHARE * 100)
        began = clock.monotonic()
        for _ in range(8):
            await budget.take({"weight": 1})
        assert clock.monotonic() == began
        background.cancel()

    run_virtually(main())


async def _many(budget: Budget, count: int, weight: float = 1) -> None:
    for _ in range(count):
        await budget.take({"weight": weight})


def test_background_work_gives_way_while_something_urgent_waits() -> None:
    order: list[str] = []

    async def ask(budget: Budget, name: str, weight: float) -> None:
        await budget.take({"weight": weight})
        order.append(name)

    async def main() -> None:
        budget = Budget({"weight": Limit(100, 60)}, LoopClock())
        await budget.take({"weight": 80})
        background = [asyncio.create_task(in_the_background(ask(budget, "back", 5))) for _ in range(20)]
        await asyncio.sleep(1)
        urgent = [asyncio.create_task(ask(budget, "live", 20)) for _ in range(6)]
        await asyncio.gather(*background, *urgent)

    run_virtually(main())
    assert order[:6] == ["live"] * 6


def test_waiting_for_one_limit_holds_up_nobody_who_needs_another() -> None:
    async def main() -> None:
        clock = LoopClock()
        budget = Budget({"history": Limit(10, 300), "weight": Limit(100, 60)}, clock)
        await budget.take({"history": 8})
        waiting = [asyncio.create_task(budget.take({"history": 1})) for _ in range(5)]
        await asyncio.sleep(1)
        began = clock.monotonic()
        await budget.take({"weight": 1})
        in_background.set(True)
        await budget.take({"weight": 1})
        assert clock.monotonic() == began
        await asyncio.gather(*waiting)
        assert clock.monotonic() == pytest.approx(1300)

    run_virtually(main())


def test_cancelled_waiters_leave_no_trace() -> None:
    async def main() -> None:
        clock = LoopClock()
        budget = Budget({"weight": Limit(10, 60)}, clock)
        await budget.take({"weight": 8})
        waiting = [asyncio.create_task(budget.take({"weight": 8})) for _ in range(10)]
        await asyncio.sleep(1)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert budget.snapshot() == {"weight": 8}
        await in_the_background(budget.take({"weight": 1}))
        assert clock.monotonic() == pytest.approx(1060), "nothing urgent is thought to wait any more"

    run_virtually(main())


def test_a_cancelled_urgent_waiter_wakes_the_background() -> None:
    async def main() -> None:
        budget = Budget({"weight": Limit(10, 60)}, LoopClock())
        await budget.take({"weight": 8})
        urgent = asyncio.create_task(budget.take({"weight": 8}))
        background = asyncio.create_task(in_the_background(budget.take({"weight": 1})))
        await asyncio.sleep(1)
        urgent.cancel()
        await background

    run_virtually(main())


async def test_a_request_above_the_whole_window_waits_for_an_empty_one() -> None:
    clock = VirtualClock()
    budget = Budget({"weight": Limit(10, 60)}, clock)
    await budget.take({"weight": 1})
    began = clock.monotonic()
    await budget.take({"weight": 50})
    assert clock.monotonic() - began == 60
    await budget.take({"weight": 1})
    assert clock.monotonic() - began == 120


async def test_a_request_that_costs_nothing_never_waits() -> None:
    clock = VirtualClock()
    budget = Budget({"weight": Limit(10, 60)}, clock)
    await budget.take({"weight": 8})
    await budget.take({})
    assert clock.slept == []


async def test_a_limit_that_is_not_known_is_a_mistake() -> None:
    budget = Budget({"weight": Limit(10, 60)}, VirtualClock())
    with pytest.raises(KeyError):
        await budget.take({"wieght": 1})


async def test_what_the_venue_has_counted_beyond_ours_is_taken_over() -> None:
    clock = VirtualClock()
    budget = Budget({"weight": Limit(2400, 60, "X-MBX-USED-WEIGHT-1M"), "other": Limit(5, 1)}, clock)
    await budget.take({"weight": 40})
    budget.learn({"X-MBX-USED-WEIGHT-1M": "1900"})
    budget.learn({"X-MBX-USED-WEIGHT-1M": "100"})
    assert budget.snapshot() == {"weight": 1900, "other": 0}
    await budget.take({"weight": 40})
    assert clock.slept == [60]


@pytest.mark.parametrize("told", ["", "-5", "1e9", "NaN", "10, 20", "١٢", "9" * 30, "12.5"])
async def test_a_count_that_is_no_count_is_passed_over(told: str) -> None:
    budget = Budget({"weight": Limit(100, 60, "used")}, VirtualClock())
    budget.learn({"used": told})
    assert budget.used_share() == 0


async def test_spending_is_remembered_over_a_restart() -> None:
    clock = VirtualClock()
    limits = {"weight": Limit(100, 60), "history": Limit(500, 300)}
    before = Budget(limits, clock)
    await before.take({"weight": 80, "history": 10})
    after = Budget(limits, clock)
    after.restore(before.snapshot() | {"gone": 7.0})
    assert after.snapshot() == before.snapshot() == {"weight": 80, "history": 10}
    await after.take({"weight": 1})
    assert clock.slept == [60]


async def test_spending_of_long_ago_is_not_restored() -> None:
    clock = VirtualClock()
    budget = Budget({"weight": Limit(100, 60), "history": Limit(500, 300)}, clock)
    budget.restore({"weight": 80, "history": 400}, seconds_ago=100)
    assert budget.snapshot() == {"weight": 0, "history": 400}
    clock.advance(200)
    assert budget.snapshot() == {"weight": 0, "history": 0}


async def test_a_snapshot_with_nonsense_in_it_costs_nothing() -> None:
    budget = Budget({"weight": Limit(100, 60)}, VirtualClock())
    budget.restore({"weight": -5})
    budget.restore({"weight": float("nan")})
    budget.restore({"weight": float("inf")})
    assert budget.snapshot() == {"weight": 0}


async def test_a_snapshot_from_the_future_counts_as_one_of_now() -> None:
    clock = VirtualClock()
    budget = Budget({"weight": Limit(100, 60)}, clock)
    budget.restore({"weight": 50}, seconds_ago=-1000)
    clock.advance(59)
    assert budget.snapshot() == {"weight": 50}
    clock.advance(1)
    assert budget.snapshot() == {"weight": 0}


async def test_being_too_fast_halves_the_pace_for_an_hour() -> None:
    clock = VirtualClock()
    budget = Budget({"weight": Limit(100, 60)}, clock)
    budget.slow_down()
    await _many(budget, 40)
    assert clock.slept == []
    await budget.take({"weight": 1})
    assert clock.slept == [60]
    clock.advance(3600)
    await _many(budget, 80)
    assert len(clock.slept) == 1


async def test_the_used_share_is_that_of_the_fullest_limit() -> None:
    clock = VirtualClock()
    budget = Budget({"weight": Limit(100, 60), "burst": Limit(10, 1)}, clock)
    await budget.take({"weight": 20, "burst": 6})
    assert budget.used_share() == pytest.approx(0.75)
    clock.advance(1)
    assert budget.used_share() == pytest.approx(0.25)


async def test_a_plan_with_more_room_is_used_in_full() -> None:
    clock = VirtualClock()
    budget = Budget({"weight": Limit(100, 60)}, clock, scale=10)
    await _many(budget, 800)
    assert clock.slept == []
    await budget.take({"weight": 1})
    assert clock.slept == [60]
