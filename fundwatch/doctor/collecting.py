"""Who collects, and how each exchange is doing by what is stored."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fundwatch.analytics.health import HEARTBEAT_SECONDS, HealthWord
from fundwatch.answers.status import ExchangeStatus, Status
from fundwatch.collector.doors import sockets
from fundwatch.doctor.finding import Finding, Level
from fundwatch.storage import bans, lock, queries
from fundwatch.storage.database import Database
from fundwatch.storage.keeping import inspection
from fundwatch.text import age, clean, utc

AREA = "exchanges"
PROCESS = "process"
LATELY_SECONDS = 7 * 86400
NAMED = 3

_ALARMING = (HealthWord.ERROR, HealthWord.STALE, HealthWord.PARTIAL)
_QUIET = (HealthWord.NEVER, HealthWord.LATE, HealthWord.PAUSED)


def look_at_process(database: Path, db: Database | None, now: float) -> list[Finding]:
    """Who holds the lock, whether it lives, and its last sign of life; `db` None where it cannot be read."""
    holder = lock.holder(database)
    presence = None if db is None else queries.collector(db)
    if holder is None:
        if presence is not None and presence.stopped is None:
            return [
                Finding(
                    PROCESS,
                    Level.WARN,
                    "lock",
                    f"nobody collects; the last {clean(presence.role, 20)} (process {presence.pid}) died "
                    f"without a word, {age(now - presence.heartbeat)} ago",
                    "Start `fundwatch`: it checks the database and goes on",
                )
            ]
        return [Finding(PROCESS, Level.NOTE, "lock", "nobody collects now", "Start `fundwatch` to collect")]
    findings = [_of_holder(holder)]
    if holder.role == "collector":
        if presence is not None and presence.stopped is None:
            findings.append(_of_heartbeat(now - presence.heartbeat))
        if not any(sockets.is_ours(path) for path in sockets.candidates(database)):
            findings.append(
                Finding(
                    PROCESS,
                    Level.WARN,
                    "socket",
                    "its control socket is not there: other commands cannot ask it for work",
                    "Start that collector anew",
                )
            )
    return findings


def _of_holder(holder: lock.Holder) -> Finding:
    if holder.pid is None:
        return Finding(PROCESS, Level.NOTE, "lock", "held by a process that has not said who it is")
    told = f"{holder.role}, process {holder.pid}, since {utc(holder.since)} UTC"
    if _lives(holder.pid):
        return Finding(PROCESS, Level.OK, "lock", f"held by {told}")
    return Finding(
        PROCESS,
        Level.WARN,
        "lock",
        f"held in the name of {told}, which is gone or runs in another container",
        "Find who has the .lock file open (lsof), and end that",
    )


def _of_heartbeat(silence: float) -> Finding:
    if silence <= HEARTBEAT_SECONDS:
        return Finding(PROCESS, Level.OK, "heartbeat", f"{age(silence)} ago")
    return Finding(
        PROCESS,
        Level.FAIL,
        "heartbeat",
        f"the collector lives, and has given no sign of life for {age(silence)}: it hangs",
        "End that process and start `fundwatch` anew; nothing stored is lost",
    )


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def look_at_health(status: Status) -> list[Finding]:
    """A line for each enabled exchange, and one for those that are switched off."""
    findings = [_of_health(one) for one in status.counted]
    off = [one.exchange for one in status.exchanges if not one.enabled]
    if off:
        findings.append(Finding(AREA, Level.NOTE, "switched off", f"{', '.join(off)}, by the configuration"))
    return findings


def _of_health(one: ExchangeStatus) -> Finding:
    level = Level.WARN if one.health in _ALARMING else Level.NOTE if one.health in _QUIET else Level.OK
    told = f"{one.health}, {one.markets_fresh} of {one.markets} markets fresh"
    if one.markets_failing:
        told += f", {one.markets_failing} failing for long"
    reason = one.reason or one.last_error
    if reason and one.health != HealthWord.OK:
        told += f": {clean(reason, 300)}"
    if one.next_try is not None and level is Level.WARN:
        told += f"; tried again at {utc(one.next_try)} UTC"
    return Finding(AREA, level, one.exchange, told)


def look_at_units(db: Database, names: Sequence[str]) -> list[Finding]:
    """The stored verdicts about units and signs; a second source is named where there is one."""
    checks = queries.unit_checks(db)
    return [
        finding
        for name in names
        for finding in _of_units(name, [check for check in checks if check.exchange == name])
    ]


def _of_units(name: str, checks: Sequence[queries.UnitCheck]) -> Iterator[Finding]:
    subject = f"{name} units"
    if not checks:
        yield Finding(AREA, Level.NOTE, subject, "not checked yet")
        return
    for check in checks:
        if check.verdict == "error":
            where = f"{check.group_name} {check.what}".strip()
            yield Finding(
                AREA,
                Level.FAIL,
                subject,
                f"{clean(where, 60)}: {clean(check.sentence, 300)}",
                "Its rates are not ranked and its settlements not stored until this is mended: update "
                "fundwatch, or accept another resting level with unit_baseline_percent",
            )
    own = {check.what: check for check in checks if not check.group_name and check.verdict != "error"}
    told = []
    if "estimates" in own:
        told.append(own["estimates"].sentence)
    told += [f"{what} {own[what].verdict}" for what in ("settlements", "agreement") if what in own]
    if "second source" in own:
        told.append(f"second source {own['second source'].verdict} ({own['second source'].sentence})")
    groups = sorted({check.group_name for check in checks if check.group_name})
    for word in ("ok", "unknown"):
        named = [g for g in groups if _verdict(checks, g) == word]
        if named:
            told.append(f"{', '.join(named)} {word}")
    if told:
        level = Level.NOTE if _verdict(checks, "") == "unknown" else Level.OK
        yield Finding(AREA, level, subject, clean("; ".join(told), 400))


def _verdict(checks: Sequence[queries.UnitCheck], group: str) -> str:
    words = {check.verdict for check in checks if check.group_name == group}
    return "error" if "error" in words else "ok" if "ok" in words else "unknown"


def look_at_gaps(status: Status) -> list[Finding]:
    found = {one.exchange: one.gaps_open for one in status.counted if one.gaps_open}
    if not found:
        return [Finding(AREA, Level.OK, "gaps", "no hour is missing that could still come")]
    named = ", ".join(f"{name} {hours:,}" for name, hours in found.items())
    return [
        Finding(
            AREA,
            Level.NOTE,
            "gaps",
            f"{sum(found.values()):,} market-hours are missing and can still come: {named}",
            "`fundwatch gaps` says which and why; `fundwatch backfill` fetches them",
        )
    ]


def look_at_changes(db: Database, now: float) -> list[Finding]:
    """Intervals that changed in the last week, and settlements with two values."""
    findings = []
    changes = inspection.interval_changes(db, int(now) - LATELY_SECONDS)
    if changes:
        told = "; ".join(f"{name}: {message}" for name, message in changes[:NAMED])
        more = f"; and {len(changes) - NAMED:,} more" if len(changes) > NAMED else ""
        count = (
            "1 market changed its interval" if len(changes) == 1 else f"{len(changes):,} intervals changed"
        )
        findings.append(
            Finding(AREA, Level.NOTE, "intervals", f"{count} in the last 7 days: {clean(told, 300)}{more}")
        )
    else:
        findings.append(Finding(AREA, Level.OK, "intervals", "none changed in the last 7 days"))
    conflicts = {name: count for name, count in queries.conflicts_count(db).items() if count}
    if conflicts:
        named = ", ".join(f"{name} {count:,}" for name, count in conflicts.items())
        findings.append(
            Finding(
                AREA,
                Level.NOTE,
                "conflicts",
                f"settlements seen with another value than the stored one: {named}",
                "`fundwatch gaps` lists the newest; the first value stays",
            )
        )
    else:
        findings.append(Finding(AREA, Level.OK, "conflicts", "no settlement was seen with two values"))
    return findings


def look_at_budgets(db: Database, status: Status, now: float) -> list[Finding]:
    """How much of its pace each exchange used at the end of its last run, and who wants us to stay away."""
    used = {one.exchange: one.budget_used for one in status.counted if one.budget_used is not None}
    findings = []
    if used:
        told = ", ".join(f"{name} {share * 100:.0f} %" for name, share in used.items())
        sent = sum(one.requests for one in status.counted)
        findings.append(
            Finding(AREA, Level.OK, "budgets", f"used at the last run: {told}; {sent:,} requests in all")
        )
    findings += [
        Finding(
            AREA,
            Level.WARN,
            clean(ban.scope, 80),
            f"{clean(ban.reason, 200)}; nothing is sent before {utc(ban.until)} UTC",
            "Ask from another place, or set `proxy` in its section"
            if ban.kind == "blocked"
            else "Wait: it is asked again then. `budget_scale` below 1 in its section asks less for good",
        )
        for ban in bans.all_bans(db)
        if ban.until > now
    ]
    return findings
