"""Four exchanges misbehave in every combination of ways that matters; the others do not notice."""

from pathlib import Path

import pytest

from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR
from tests.acceptance.house import House, house

ALL = tuple(REGISTRY)

FAULTY = [
    pytest.param(
        {"binance": "451", "aster": "html", "extended": "429", "lighter": "truncate"},
        {
            "binance": "not served from this location (HTTP 451)",
            "aster": "turned away by its firewall",
            "extended": "too many requests (HTTP 429)",
            "lighter": "the answer broke off",
        },
        id="451, challenge, 429, truncation",
    ),
    pytest.param(
        {"hyperliquid": "hang", "paradex": "nan", "variational": "half", "binance": "418"},
        {
            "hyperliquid": "no complete answer within",
            "paradex": "not a decimal",
            "variational": "gone from the market list without a word",
            "binance": "banned for too many requests (HTTP 418)",
        },
        id="hang, NaN, half the list, 418",
    ),
    pytest.param(
        {"lighter": "drift", "aster": "reset", "extended": "empty", "variational": "500"},
        {
            "lighter": "",
            "aster": "",
            "extended": "",
            "variational": "its server failed (HTTP 500)",
        },
        id="renamed fields, reset, empty list, 500",
    ),
]


@pytest.mark.parametrize(("faults", "words"), FAULTY)
async def test_four_misbehaving_exchanges_leave_the_others_complete_and_heal_later(
    faults: dict[str, str], words: dict[str, str], tmp_path: Path
) -> None:
    async with house(tmp_path) as at:
        await at.sweep_all_at_once()
        good = {name: at.of(name).last_success for name in ALL}
        assert None not in good.values()
        at.clock.advance(HOUR)

        for name, fault in faults.items():
            at.world.fault(name, fault)
        await at.sweep_all_at_once()

        answer = at.status()
        assert answer.exit_code == 1
        for one in answer.exchanges:
            if one.exchange in faults:
                assert one.status == "error"
                assert one.health in ("error", "partial"), one
                assert words[one.exchange] in (one.last_error or ""), one.last_error
                assert one.last_error
                assert one.last_success == good[one.exchange]
            else:
                assert (one.health, one.last_error) == ("ok", None)
                assert (one.last_success or 0) > (good[one.exchange] or 0)
                assert _newest_hour(at, one.exchange)

        for name in faults:
            at.world.heal(name)
        at.clock.advance(2 * HOUR)
        await at.sweep_all_at_once()
        healed = at.status()
        assert healed.exit_code == 0, [(e.exchange, e.health, e.last_error) for e in healed.exchanges]
        for name in ALL:
            if name != "variational":
                assert not at.collector.trackers[name].missing(seconds_back=24 * HOUR)


def _newest_hour(at: House, name: str) -> bool:
    """Whether the settlements of the last hour are there; Variational publishes none."""
    return name == "variational" or at.of(name).newest_settlement == int(at.clock.now()) // HOUR * HOUR


async def test_hours_that_an_exchange_leaves_out_for_a_while_are_healed_by_later_sweeps(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, exchanges=("lighter",)) as at:
        at.world.fault("lighter", "missing-rows")
        await at.sweep("lighter")
        assert at.of("lighter").gaps_open > 0
        at.world.heal("lighter")
        for _ in range(3):
            at.clock.advance(HOUR)
            await at.sweep("lighter")
        assert not at.collector.trackers["lighter"].missing(seconds_back=26 * HOUR)


async def test_a_settled_value_that_is_revised_is_kept_as_a_conflict(tmp_path: Path) -> None:
    async with house(tmp_path, exchanges=("extended",)) as at:
        await at.sweep("extended")
        before = at.stored("extended")
        with at.writer.transaction():
            at.writer.change("DELETE FROM settlement WHERE funding_time % 7200 = 0")
        at.clock.advance(2 * HOUR)  # every fifth hour is revised, and the newest is none of them
        at.world.fault("extended", "revise")
        await at.sweep("extended")
        after = at.stored("extended")
        assert at.writer.value("SELECT count(*) FROM conflict") > 0
        for symbol, rows in before.items():
            kept = [row for row in rows if row[0] % 7200]
            assert [row for row in after[symbol] if row in kept] == kept
