"""Hours that an exchange was asked for and did not have: when they are asked again, and their record."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from fundwatch.models import HOUR, Window, merged, without
from fundwatch.storage.database import Writer
from fundwatch.storage.holes.due import SETTLES_WITHIN_SECONDS, Absence, absences, covered, due_markets

PUBLISHED_WITHIN_SECONDS = 2 * HOUR
"""An hour that lacks its row is not called absent before this age."""
FINAL_AFTER = 5
"""Answers without an hour after which it is asked for no more, except by hand."""
NOT_PUBLISHED = "not published by the exchange"
BEFORE_FIRST = "before its first settlement"
UNKNOWN_HOURS = "its first payment does not tell how many hours it covered"
NEVER_A_GAP = frozenset({BEFORE_FIRST, UNKNOWN_HOURS})
"""Nothing more can come of such hours: the market was not listed yet, or had just been."""

Reasons = Callable[[Window], str]

_WAIT_HOURS = (1, 4, 16, 24)

_INSERT = """
INSERT INTO absence (market_id, start_time, end_time, reason, asked, last_asked) VALUES (?, ?, ?, ?, ?, ?)
"""


def is_final(absence: Absence) -> bool:
    return absence.asked >= FINAL_AFTER


def due_again(absence: Absence) -> int | None:
    """When it is asked for again (UTC seconds): 1 h after the first answer, then 4 h, 16 h and 24 h.

    None for one that is final.
    """
    if is_final(absence):
        return None
    return absence.last_asked + _WAIT_HOURS[absence.asked - 1] * HOUR


def is_waiting(absence: Absence, now: float) -> bool:
    """Whether it is too early to ask again."""
    again = due_again(absence)
    return again is None or now < again


def record_absence(
    writer: Writer,
    exchange: str,
    answered: Iterable[tuple[str, Window]],
    now: float,
    *,
    continuous: bool = False,
) -> int:
    """Notes what the exchange did not have in the windows that it answered; call it after storing.

    Only hours whose funding time passed more than two hours ago; one more answer counts as one more
    time asked. Runs in the caller's transaction; returns how many market-hours were noted.
    """
    windows: defaultdict[str, list[Window]] = defaultdict(list)
    for symbol, window in answered:
        windows[symbol].append(window)
    latest = now - PUBLISHED_WITHIN_SECONDS + SETTLES_WITHIN_SECONDS
    known = absences(writer, exchange)
    noted = 0
    for due in due_markets(
        writer, exchange, horizon=0, now=latest, symbols=windows.keys(), continuous=continuous
    ):
        asked = merged(Window(max(start, due.start), min(end, due.end)) for start, end in windows[due.symbol])
        if not asked:
            continue
        stored = covered(writer, due.market_id, asked[0].start, asked[-1].end)
        gone = without(asked, stored)
        if gone:
            noted += sum(window.end - window.start for window in gone) // HOUR
            reason = _reasons(writer, due.market_id)
            _replace(
                writer, due.market_id, _asked_again(known.get(due.market_id, []), gone, reason, int(now))
            )
    return noted


def trim(writer: Writer, market_id: int, start: int, end: int) -> None:
    """Takes the hours of (start, end] that have a row by now out of the absences."""
    touched = writer.rows(
        "SELECT start_time, end_time, reason, asked, last_asked FROM absence"
        " WHERE market_id = ? AND start_time < ? AND end_time > ?",
        market_id,
        end,
        start,
    )
    for first, last, *rest in touched:
        window = Window(first, last)
        left = without([window], covered(writer, market_id, first, last))
        if left != [window]:
            writer.executemany(
                "DELETE FROM absence WHERE market_id = ? AND start_time = ?", [(market_id, first)]
            )
            writer.executemany(_INSERT, [(market_id, *part, *rest) for part in left])


def trim_all(writer: Writer) -> None:
    """Takes every hour that has a row out of the absences, as if each row were stored just now."""
    for market_id, start, end in writer.rows(
        "SELECT market_id, MIN(start_time), MAX(end_time) FROM absence GROUP BY market_id"
    ):
        trim(writer, market_id, start, end)


def _asked_again(old: Sequence[Absence], gone: list[Window], reason: Reasons, now: int) -> list[Absence]:
    """The absences of a market after an answer that lacked `gone`, oldest first."""
    parts: list[Absence] = []
    for absence in old:
        untouched = without([absence.window], gone)
        parts += [absence._replace(window=window) for window in untouched]
        parts += [
            Absence(window, reason(window), absence.asked + 1, now)
            for window in without([absence.window], untouched)
        ]
    new = without(gone, [absence.window for absence in old])
    parts += [Absence(window, reason(window), 1, now) for window in new]

    result: list[Absence] = []
    for part in sorted(parts):
        last = result[-1] if result else None
        if last is not None and last.window.end == part.window.start and _alike(last, part):
            result[-1] = Absence(
                Window(last.window.start, part.window.end),
                part.reason,
                min(last.asked, part.asked),
                max(last.last_asked, part.last_asked),
            )
        else:
            result.append(part)
    return result


def _alike(one: Absence, other: Absence) -> bool:
    if one.reason != other.reason:
        return False
    both_final = is_final(one) and is_final(other)
    return both_final or (one.asked, one.last_asked) == (other.asked, other.last_asked)


def _reasons(writer: Writer, market_id: int) -> Reasons:
    """What to call hours of this market that have no row, by where its first row lies."""
    first = writer.rows(
        "SELECT funding_time, interval_hours FROM settlement WHERE market_id = ? AND kind = 0"
        " ORDER BY funding_time LIMIT 1",
        market_id,
    )

    def reason(window: Window) -> str:
        for funding_time, hours in first:
            if hours is None and window.start < funding_time <= window.end:
                return UNKNOWN_HOURS
            if window.end <= funding_time - round((hours or 0) * HOUR):
                return BEFORE_FIRST
        return NOT_PUBLISHED

    return reason


def _replace(writer: Writer, market_id: int, parts: list[Absence]) -> None:
    writer.executemany("DELETE FROM absence WHERE market_id = ?", [(market_id,)])
    writer.executemany(
        _INSERT, [(market_id, *part.window, part.reason, part.asked, part.last_asked) for part in parts]
    )
