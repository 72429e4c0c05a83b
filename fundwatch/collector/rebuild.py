"""Everything that is derived, derived anew from settlements, quotes and runs."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from fundwatch.collector.identity import same_assets
from fundwatch.storage import queries, summary, trackers, verdicts
from fundwatch.storage.database import Writer
from fundwatch.storage.holes import absences
from fundwatch.storage.keeping.rebuild import Rebuilt, rebuilt
from fundwatch.storage.verdicts import IdentityRow


class _OnlyLooked(Exception):
    """Takes back what the transaction did."""


def rebuild(writer: Writer, now: float, *, keep: bool = True) -> dict[str, Rebuilt]:
    """Derives all in one transaction; by what it is, in words. In a sound database nothing differs.

    Without `keep` all stays as it was. The views are made anew whenever the database is opened for writing.
    """
    works: tuple[tuple[str, str, Callable[[], object]], ...] = (
        ("windows of markets", "summary", lambda: summary.rebuild(writer, now)),
        ("verdicts on which markets are one asset", "identity", lambda: _judge_identity(writer, now)),
        ("stretches of absent hours", "absence", lambda: absences.trim_all(writer)),
        ("counters and status of trackers", "tracker", lambda: trackers.recount(writer)),
    )
    found: dict[str, Rebuilt] = {}
    with suppress(_OnlyLooked), writer.transaction():
        found = {what: rebuilt(writer, table, work) for what, table, work in works}
        if not keep:
            raise _OnlyLooked
    return found


def _judge_identity(writer: Writer, now: float) -> None:
    """Judges the names whose verdicts do not fit the stored quotes as if they had never been judged.

    The quotes are taken at the time of the newest. A verdict that waits for a third sample is left to
    the next ones, and so are the verdicts on markets whose price was not known then.
    """
    rows = queries.market_rows(writer)
    newest = max((row.observed_at for row in rows if row.observed_at is not None), default=now)
    stored = verdicts.load_identities(writer)
    anew = {row.market_id: row for row in same_assets(rows, {}, newest)}
    by_name: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        by_name[row.asset_class, row.ticker].append(row.market_id)
    wrong = [ids for ids in by_name.values() if _is_wrong(ids, stored, anew)]
    verdicts.save_identities(writer, [anew[market_id] for ids in wrong for market_id in ids])


def _is_wrong(ids: Sequence[int], stored: Mapping[int, IdentityRow], anew: Mapping[int, IdentityRow]) -> bool:
    if any(market_id not in stored for market_id in ids):
        return True
    priced = [market_id for market_id in ids if anew[market_id].same_as_group is not None]
    if any(stored[market_id].candidate is not None for market_id in priced):
        return False
    return _groups(priced, stored) != _groups(priced, anew)


def _groups(ids: Sequence[int], verdict: Mapping[int, IdentityRow]) -> set[frozenset[int]]:
    groups: defaultdict[int | None, set[int]] = defaultdict(set)
    for market_id in ids:
        groups[verdict[market_id].same_as_group].add(market_id)
    return set(map(frozenset, groups.values()))
