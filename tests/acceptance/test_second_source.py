"""Lighter relays the rates of Binance and Hyperliquid: a second opinion on our reading of them."""

from pathlib import Path

from fundwatch.storage.verdicts import load_unit_checks
from tests.acceptance.house import House, house


def second_opinion(at: House, name: str) -> str:
    [check] = [c for c in load_unit_checks(at.writer, name) if c.what == "second source"]
    return check.verdict


async def test_what_lighter_relays_agrees_with_what_we_read_ourselves(tmp_path: Path) -> None:
    async with house(tmp_path, exchanges=("lighter", "binance", "hyperliquid")) as at:
        await at.sweep_all_at_once(hours=1)
        assert second_opinion(at, "binance") == "ok"
        assert second_opinion(at, "hyperliquid") == "ok"


async def test_a_lost_sign_of_estimates_is_an_error_though_rates_rest_as_they_should(tmp_path: Path) -> None:
    async with house(tmp_path, exchanges=("lighter", "binance", "hyperliquid")) as at:
        at.world.fault("binance", "sign-quotes")
        await at.sweep_all_at_once(hours=1)
        [check] = [c for c in load_unit_checks(at.writer, "binance") if c.what == "second source"]
        assert check.verdict == "error"
        assert "lost sign" in check.sentence
        assert at.of("binance").health == "error"
        assert second_opinion(at, "hyperliquid") == "ok"
