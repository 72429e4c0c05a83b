"""`fundwatch gaps`: which hours are stored, missing, gone or in dispute, and why."""

import shutil
import textwrap
from collections.abc import Sequence

from fundwatch.answers.gaps import Conflicting, ExchangeGaps, Gap, Gaps, Reason, gaps
from fundwatch.clock import SystemClock
from fundwatch.commands.printing import print_json, print_table, print_world
from fundwatch.commands.session import Session
from fundwatch.storage.database import reader
from fundwatch.storage.holes.gap_ledger import GONE, JUST_PAID, MISSING, PUBLISHES_NONE, TOO_OLD
from fundwatch.tables import Column
from fundwatch.text import clean, printable, utc

LISTED = 10
"""Of each list for a person; JSON has all."""

_HALF_A_YEAR_SECONDS = 182 * 86400
_SAID_ABOVE = {JUST_PAID, PUBLISHES_NONE}
_TOTALS = (
    Column("exchange"),
    Column("expected", right=True),
    Column("stored", right=True),
    Column("missing", right=True),
    Column("gone", right=True),
    Column("conflict", right=True),
    Column("stored %", right=True),
)
_FIXED = 13 + 16 + 13 + 13 + 9
"""What stands before the reason in the list of gaps of less than a year, in cells."""


def show_gaps(session: Session, *, exchange: str | None, days: int | None, as_json: bool) -> int:
    """Prints the ledger; returns the exit code. Raises `NoDatabase` where there is none."""
    now = SystemClock().now()
    with reader(session.database, world=session.world) as db:
        answer = gaps(db, session.config, now, exchange=exchange, days=days)
    if as_json:
        print_json(answer)
    else:
        print_world(demo=session.demo)
        _print(answer)
    return answer.exit_code


def _print(answer: Gaps) -> None:
    print(f"market-hours from {utc(answer.since)} to {utc(answer.until)} UTC")
    print_table(_TOTALS, [_totals(one) for one in answer.exchanges])
    for state, heading in ((MISSING, "missing, can still come"), (GONE, "gone")):
        told = [
            (one.exchange, reason)
            for one in answer.exchanges
            for reason in one.reasons
            if reason.state == state
        ]
        if told:
            print(f"\n{heading}:")
            for name, reason in told:
                print(_wrapped(f"{name}: {_because(reason)}", "  "))
    form = "%m-%d %H:%M" if answer.until - answer.since < _HALF_A_YEAR_SECONDS else "%Y-%m-%d %H:%M"
    for state in (MISSING, GONE):
        found = [gap for gap in answer.gaps if gap.state == state and gap.reason not in _SAID_ABOVE]
        _print_gaps(f"largest {state}", found, form)
    _print_conflicts(answer.conflicts)
    _advise(answer)


def _totals(one: ExchangeGaps) -> tuple[str, ...]:
    share = "-" if not one.expected_hours else _percent(one.stored_hours / one.expected_hours)
    counts = (one.expected_hours, one.stored_hours, one.missing_hours, one.gone_hours, one.conflicting_hours)
    return (one.exchange + ("" if one.enabled else " off"), *map(_number, counts), share)


def _because(reason: Reason) -> str:
    markets = "1 market" if reason.markets == 1 else f"{reason.markets:,} markets"
    again = ""
    if reason.asked_again is not None:
        again = f"; next sweep {utc(reason.asked_again)} UTC"
    return f"{_number(reason.hours)} h of {markets}: {printable(reason.reason)}{again}"


def _print_gaps(heading: str, found: Sequence[Gap], form: str) -> None:
    """`form` is that of the times."""
    if not found:
        return
    room = max(16, shutil.get_terminal_size().columns - _FIXED)
    columns = (
        Column("exchange"),
        Column("symbol", widest=14),
        Column("after UTC"),
        Column("until UTC"),
        Column("hours", right=True),
        Column(heading, widest=room),
    )
    print()
    print_table(
        columns,
        [
            (
                gap.exchange,
                gap.symbol,
                utc(gap.start, form),
                utc(gap.end, form),
                _number(gap.hours),
                gap.reason,
            )
            for gap in found[:LISTED]
        ],
    )
    _print_rest(len(found) - LISTED, sum(gap.hours for gap in found[LISTED:]))


def _print_rest(count: int, hours: float) -> None:
    if count > 0:
        print(f"and {count:,} more with {_number(hours)} h: --json lists all")


def _print_conflicts(found: Sequence[Conflicting]) -> None:
    if not found:
        return
    columns = (
        Column("exchange"),
        Column("symbol", widest=14),
        Column("paid UTC"),
        Column("stored %", right=True),
        Column("seen %", right=True),
        Column("seen from"),
        Column("times", right=True),
    )
    print()
    print_table(
        columns,
        [
            (
                one.exchange,
                one.symbol,
                utc(one.funding_time),
                f"{one.stored_rate * 100:+.6f}",
                f"{one.seen_rate * 100:+.6f}",
                one.seen_from,
                f"{one.times:,}",
            )
            for one in found[:LISTED]
        ],
    )
    if len(found) > LISTED:
        print(f"and {len(found) - LISTED:,} more: --json lists all")


def _advise(answer: Gaps) -> None:
    """What a person can do about what is missing."""
    counted = [one for one in answer.exchanges if one.enabled]
    said = []
    if any(one.missing_hours for one in counted) and not answer.collector_running:
        said.append("no collector runs: `fundwatch` or `fundwatch backfill` fetches what is missing")
    if any(reason.reason == TOO_OLD for one in counted for reason in one.reasons):
        said.append("hourly sweeps go back history_days; `fundwatch backfill --days N` fetches what is older")
    for one in counted:
        told = ["no market is known yet"] if not one.markets else []
        if one.last_error and (told or one.missing_hours):
            told.append(clean(one.last_error, 300))
        if told:
            said.append(f"{one.exchange}: {': '.join(told)}")
    if said:
        print("\n" + "\n".join(_wrapped(line, "") for line in said))


def _wrapped(line: str, indent: str) -> str:
    width = max(40, shutil.get_terminal_size().columns)
    return textwrap.fill(line, width, initial_indent=indent, subsequent_indent=indent + "  ")


def _number(hours: float) -> str:
    return f"{hours:,}" if isinstance(hours, int) else f"{hours:,.2f}"


def _percent(share: float) -> str:
    """Rounded down, so that 100 is all."""
    return f"{int(share * 10_000) / 100:.2f}"
