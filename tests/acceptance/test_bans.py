"""A ban is never made worse: no request before its end, also after a restart."""

from pathlib import Path

import pytest

from tests.acceptance.house import house


@pytest.mark.parametrize(
    ("fault", "seconds"), [("418:7200", 7200), ("429:600", 600), ("451", 3000), ("403", 1800), ("html", 60)]
)
async def test_no_request_is_sent_before_a_ban_ends_even_by_a_new_process(
    fault: str, seconds: float, tmp_path: Path
) -> None:
    async with house(tmp_path, exchanges=("binance",)) as at:
        at.world.fault("binance", fault)
        outcome = (await at.sweep("binance"))["binance"]
        assert outcome.word == "error"
        assert outcome.retry_at is not None
        banned_until = outcome.retry_at
        assert banned_until >= at.clock.now() + seconds * 0.99
        sent = at.asked("binance")
        at.world.heal("binance")

        for share in (0.1, 0.5, 0.98):
            at.clock.wall = banned_until - (1 - share) * seconds
            await at.restart()
            await at.sweep("binance")
            await at.collector.trackers["binance"].quotes_pass()
            assert at.asked("binance") == sent

        at.clock.wall = banned_until + 1
        await at.restart()
        assert (await at.sweep("binance"))["binance"].word == "ok"
        assert at.asked("binance") > sent


async def test_the_budget_of_an_exchange_is_kept_over_a_restart(tmp_path: Path) -> None:
    """A crash loop must not spend every window anew."""
    async with house(tmp_path, exchanges=("lighter",), scale=1.0) as at:
        await at.sweep("lighter", hours=1)
        for _ in range(3):
            await at.restart()
            await at.collector.trackers["lighter"].quotes_pass()
        statuses = {asked.status for asked in at.world.log("lighter")}
        assert statuses == {200}
