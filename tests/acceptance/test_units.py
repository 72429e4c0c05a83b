"""Planted unit errors: caught wherever the check has enough to go by, nothing stored from them."""

from pathlib import Path

import pytest

from fundwatch.models import HOUR
from tests.acceptance.house import house

FACTORS = (2, 4, 8, 24, 100, 1000)
SETTLING = ("lighter", "hyperliquid", "binance", "aster", "extended")
RESTING = (*SETTLING, "variational")
"""Exchanges whose markets rest at a level that is known beforehand: all but Paradex."""


@pytest.mark.parametrize("name", RESTING)
async def test_estimates_in_a_wrong_unit_stop_the_tracker_and_store_no_settlements(
    name: str, tmp_path: Path
) -> None:
    async with house(tmp_path, exchanges=(name,)) as at:
        for factor in (*FACTORS, *(1 / factor for factor in FACTORS)):
            at.world.heal(name)
            at.world.fault(name, f"unit-quotes:{factor:.12f}")
            outcome = (await at.sweep(name))[name]
            assert outcome.word == "error", (factor, outcome.error)
            one = at.of(name)
            assert one.health == "error"
            assert one.last_success is None
            assert at.stored(name) == {}
        at.world.heal(name)
        assert (await at.sweep(name))[name].word == "ok"
        assert at.of(name).health == "ok"


@pytest.mark.parametrize("name", SETTLING)
async def test_settlements_in_a_wrong_unit_are_not_stored_and_the_hole_heals_with_the_converter(
    name: str, tmp_path: Path
) -> None:
    async with house(tmp_path, exchanges=(name,)) as at:
        for factor in (*FACTORS, *(1 / factor for factor in FACTORS)):
            at.world.heal(name)
            at.world.fault(name, f"unit-settled:{factor:.12f}")
            outcome = (await at.sweep(name))[name]
            assert outcome.word != "ok", (factor, outcome.error)
            assert at.stored(name) == {}, factor
            assert at.of(name).health in ("error", "partial")
        at.world.heal(name)
        at.clock.advance(HOUR)
        outcome = (await at.sweep(name))[name]
        assert outcome.word == "ok", outcome.error
        assert not at.collector.trackers[name].missing(seconds_back=24 * HOUR)


@pytest.mark.parametrize("name", SETTLING)
async def test_a_lost_sign_of_settlements_is_seen_against_the_estimates(name: str, tmp_path: Path) -> None:
    async with house(tmp_path, exchanges=(name,)) as at:
        at.world.fault(name, "sign-settled")
        outcome = (await at.sweep(name))[name]
        assert outcome.word == "error"
        assert "sign" in (outcome.error or "")
        assert at.stored(name) == {}


@pytest.mark.parametrize("factor", FACTORS)
async def test_paradex_has_no_resting_level_but_its_two_converters_must_agree(
    factor: int, tmp_path: Path
) -> None:
    async with house(tmp_path, exchanges=("paradex",)) as at:
        at.world.fault("paradex", f"unit-quotes:{factor}")
        outcome = (await at.sweep("paradex"))["paradex"]
        assert outcome.word != "ok", outcome.error
        assert at.stored("paradex") == {}
