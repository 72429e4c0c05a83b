from pathlib import Path

from fundwatch.storage import bans
from fundwatch.storage.bans import BanRow
from fundwatch.storage.database import Writer, open_writer


def test_a_ban_outlives_the_process(path: Path) -> None:
    ban = BanRow("binance fapi.binance.com", "banned", 1790000000.25, "418: too many requests", 3)
    first = open_writer(path, world="real")
    with first.transaction():
        bans.put(first, ban)
    first.close()

    second = open_writer(path, world="real")
    assert bans.get(second, ban.scope) == ban
    assert bans.get(second, "aster fapi.asterdex.com") is None
    second.close()


def test_a_newer_ban_of_a_scope_takes_the_older_ones_place_until_it_is_dropped(writer: Writer) -> None:
    with writer.transaction():
        bans.put(writer, BanRow("a", "throttled", 10.0, "slow down", 1))
        bans.put(writer, BanRow("a", "banned", 20.0, "stay away", 2))
        bans.put(writer, BanRow("b", "blocked", 5.0, "not here", 1))
    assert [ban.until for ban in bans.all_bans(writer)] == [20.0, 5.0]

    with writer.transaction():
        bans.drop(writer, "a")
    assert [ban.scope for ban in bans.all_bans(writer)] == ["b"]
