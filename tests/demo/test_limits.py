import pytest

from fundwatch.demo.limits import Limiter
from fundwatch.demo.venues.base import Window


def test_a_rolling_window_lets_its_weight_through_and_no_more() -> None:
    limiter = Limiter({"weight": Window(10, 60)}, 1.0)
    assert [limiter.admit({"weight": 4}, t) for t in (0.0, 1.0)] == [0, 0]
    assert limiter.admit({"weight": 4}, 2.0) == pytest.approx(58)
    assert limiter.admit({"weight": 2}, 2.0) == 0
    assert limiter.admit({"weight": 4}, 60.0) == 0


def test_a_refused_request_costs_nothing() -> None:
    limiter = Limiter({"weight": Window(2, 60)}, 1.0)
    limiter.admit({"weight": 2}, 0.0)
    assert limiter.admit({"weight": 1}, 1.0) > 0
    assert limiter.used("weight", 1.0) == 2


def test_every_limit_must_have_room() -> None:
    limiter = Limiter({"ten": Window(1, 10), "minute": Window(2, 60)}, 1.0)
    both = {"ten": 1, "minute": 1}
    assert limiter.admit(both, 0.0) == 0
    assert limiter.admit(both, 5.0) == pytest.approx(5)
    assert limiter.admit(both, 10.0) == 0
    assert limiter.admit(both, 20.0) == pytest.approx(40)


def test_scale_widens_the_limit() -> None:
    limiter = Limiter({"weight": Window(2, 60)}, 100.0)
    assert all(limiter.admit({"weight": 1}, 0.0) == 0 for _ in range(200))
    assert limiter.admit({"weight": 1}, 0.0) > 0


def test_going_on_after_refusals_ends_in_a_ban_where_the_exchange_bans() -> None:
    limiter = Limiter({"weight": Window(1, 60)}, 1.0, bans=True)
    limiter.admit({"weight": 1}, 0.0)
    for t in range(1, 8):
        limiter.admit({"weight": 1}, float(t))
    assert limiter.banned_until > 100
    assert limiter.admit({"weight": 1}, limiter.banned_until - 1) == pytest.approx(1)
    assert limiter.admit({"weight": 1}, limiter.banned_until) == 0


def test_waiting_as_told_is_never_banned() -> None:
    limiter = Limiter({"weight": Window(1, 60)}, 1.0, bans=True)
    now = 0.0
    for _ in range(20):
        wait = limiter.admit({"weight": 1}, now)
        now += wait or 1.0
    assert limiter.banned_until == 0
