"""The table of trackers and what is told of one of them."""

from collections.abc import Sequence
from textwrap import wrap

from fundwatch.answers.status import ExchangeStatus
from fundwatch.models import Source
from fundwatch.storage.queries import ExchangeRow, Run
from fundwatch.text import age, printable
from fundwatch.tui.charts.bars import HEARTBEAT_GLYPHS, Span, fitted, heartbeat, legend
from fundwatch.tui.frame.status_line import HEALTH_STYLES, health_word
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.words import MISSING, Words, short_age, since

_BEATS = 9
"""As many as the narrowest column holds: the newest must not be cut away."""

_NO_DIGITS = str.maketrans("", "", "0123456789")
_ORDER = {word: rank for rank, word in enumerate(reversed(HEALTH_STYLES))}

COLUMNS = (
    Column("exchange", "exchange", 11),
    Column(
        "health",
        "health",
        8,
        sort_key=_ORDER.get,
        tooltip="starting, never, ok, late, PARTIAL, STALE, ERROR, paused",
    ),
    Column("fresh", "fresh", 9, "right", tooltip="Markets with a fresh quote, of those expected"),
    Column("age", "quotes", 6, "right", tooltip="Age of the oldest quote, without the worst 1 %"),
    Column("success", "success", 7, "right", tooltip="Since the last complete sweep", priority=1),
    Column(
        "failing",
        "failing",
        7,
        "right",
        priority=3,
        tooltip="Markets that failed three sweeps in a row; - where the sweep itself failed",
    ),
    Column("gaps", "gaps", 7, "right", tooltip="Market-hours that are missing and can still come"),
    Column(
        "unit",
        "unit check",
        10,
        "right",
        priority=1,
        tooltip="The most frequent APR in percent (- where rates have no level to rest at), and the verdict",
    ),
    Column("budget", "used %", 6, "right", priority=2, tooltip="Share of the request budget in use"),
    Column("stored", "stored", 10, "right", priority=4, tooltip="Settlements ever stored"),
    Column("requests", "requests", 9, "right", priority=5, tooltip="Requests of all runs"),
    Column(
        "runs",
        "last runs",
        9,
        grow=True,
        sortable=False,
        priority=1,
        tooltip=f"The newest at the right: {legend(HEARTBEAT_GLYPHS)}",
    ),
)


def rows(snapshot: Snapshot) -> list[Row]:
    """One row for each enabled exchange; the key is its name."""
    return [_row(one, snapshot) for one in snapshot.status.counted]


def _row(one: ExchangeStatus, snapshot: Snapshot) -> Row:
    now = snapshot.taken_at
    beats = heartbeat([run.outcome for run in reversed(snapshot.runs.get(one.exchange, ()))], _BEATS)
    used = None if one.budget_used is None else round(one.budget_used * 100)
    share = one.markets_fresh / one.markets if one.markets else None
    recorded = publishes_none(snapshot.exchanges.get(one.exchange))
    return Row(
        one.exchange,
        (
            one.exchange,
            Cell(health_word(one), HEALTH_STYLES.get(one.health, "warn")),
            f"{one.markets_fresh}/{one.markets}" if one.markets else MISSING,
            short_age(one.oldest_quote_seconds),
            short_age(None if one.last_success is None else now - one.last_success),
            _failing(one),
            MISSING if recorded or not one.markets else _warned(one.gaps_open),
            _unit(one),
            MISSING if used is None else str(used),
            f"{one.total_records:,}",
            f"{one.requests:,}",
            "".join(text for text, _ in beats).lstrip("·"),
        ),
        (
            one.exchange,
            one.health,
            share,
            one.oldest_quote_seconds,
            one.last_success,
            one.markets_failing,
            one.gaps_open,
            one.unit_check.modal_apr_percent,
            used,
            one.total_records,
            one.requests,
            None,
        ),
    )


def _warned(count: int) -> Cell:
    told = f"{count:,}" if count < 1e6 else f"{count / 1e6:.1f} M"
    return Cell(told, "warn" if count else "")


def _failing(one: ExchangeStatus) -> Cell:
    """A sweep that failed as a whole says nothing of single markets: no 0 beside its error."""
    judged = one.markets and one.health not in ("error", "never")
    return _warned(one.markets_failing) if judged or one.markets_failing else MISSING


def _unit(one: ExchangeStatus) -> Cell:
    check = one.unit_check
    apr = check.modal_apr_percent
    modal = "-" if apr is None else f"{apr:.2f}" if apr < 1000 else f"{apr:,.0f}"
    if apr is not None and apr >= 100_000:
        modal = f"{apr / 1000:,.0f}k"
    match check.verdict:
        case "ok":
            return Cell(f"{modal} ok", "good")
        case "error":
            return Cell(f"{modal} ERR", "bad")
    return MISSING if check.sentence is None else Cell("unknown", "muted")


def publishes_none(row: ExchangeRow | None) -> bool:
    """Whether an exchange publishes no settlements, so that ours are recorded."""
    return row is not None and row.source == Source.RECORDED


def described(
    one: ExchangeStatus, row: ExchangeRow | None, runs: Sequence[Run], words: Words, now: float, width: int
) -> list[list[Span]]:
    """Everything about one tracker in lines of `width` cells: what is wrong first and in full, whatever
    it takes, then facts by their worth, none of them cut."""
    lines: list[list[Span]] = []
    if one.reason:
        lines += _wrapped("", "", one.reason, width)
    if one.last_error and _tells_more(one.last_error, one.reason):
        lines += _wrapped("last error", "bad", one.last_error, width)
    lines += _facts(
        width,
        ("last success", _when(one.last_success, words, now)),
        ("next try", _next(one.next_try, words, now)),
        *((("failures in a row", f"{one.consecutive_failures:,}"),) if one.consecutive_failures else ()),
        ("newest settlement", _when(one.newest_settlement, words, now)),
        ("last run", _when(one.last_run, words, now)),
        *((("rows refused", f"{runs[0].refused:,}"),) if runs and runs[0].refused else ()),
        *((("conflicts", f"{runs[0].conflicts:,}"),) if runs and runs[0].conflicts else ()),
        ("gaps", _gaps(one, row)),
        ("budget used", "-" if one.budget_used is None else f"{one.budget_used:.0%}"),
        ("runs", f"{one.total_runs:,}"),
        ("stored", f"{one.total_records:,}"),
        ("requests", f"{one.requests:,}"),
        ("sweeps at minute", "-" if row is None or row.minute is None else str(row.minute)),
    )
    if one.unit_check.sentence and one.unit_check.sentence != one.reason:
        lines += _wrapped(
            "unit check", "muted", f"{one.unit_check.verdict}: {one.unit_check.sentence}", width
        )
    return [fitted(line, width) for line in lines]


def _tells_more(text: str, than: str) -> bool:
    """Whether they differ in more than their numbers, which no two sweeps have in common."""
    return text.translate(_NO_DIGITS) != than.translate(_NO_DIGITS)


def _gaps(one: ExchangeStatus, row: ExchangeRow | None) -> str:
    if publishes_none(row):
        return "recorded only, none published"
    return f"{one.gaps_open:,}" if one.markets else "-"


def _when(then: float | None, words: Words, now: float) -> str:
    return "never" if then is None else f"{words.when(then, now)} ({since(then, now)} ago)"


def _next(then: float | None, words: Words, now: float) -> str:
    if then is None or then <= now:
        return "-"
    return f"{words.clock(then)} (in {age(then - now)})"


def _facts(width: int, *facts: tuple[str, str]) -> list[list[Span]]:
    """Names with their values, as many on a line as fit whole."""
    lines: list[list[Span]] = []
    used = width
    for name, value in facts:
        size = len(name) + len(value) + 2
        if used + 2 + size > width:
            lines.append([])
            used = 0
        else:
            lines[-1].append(("  ", ""))
            used += 2
        lines[-1] += [(f" {name} ", "muted"), (value, "")]
        used += size
    return lines


def _wrapped(head: str, style: str, text: str, width: int) -> list[list[Span]]:
    """`text` behind `head`, and below it where it is longer than a line."""
    lead = f" {head}  " if head else " "
    indent = len(lead)
    parts = wrap(printable(text), max(20, width - indent - 1)) or [""]
    return [
        [(lead, style), (parts[0], "")],
        *([(" " * indent, ""), (part, "")] for part in parts[1:]),
    ]
