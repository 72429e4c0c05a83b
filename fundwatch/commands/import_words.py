"""What became of an imported file, as lines for a person."""

from collections.abc import Iterator

from fundwatch.collector.importing.report import MarketSpan, Report
from fundwatch.text import clean, utc

MARKETS_SHOWN = 20


def report_lines(report: Report, *, is_rehearsal: bool = False, is_brief: bool = False) -> list[str]:
    """The verdict and the counts, then the notes, and the bad rows by line.

    `is_brief` leaves a file that went in whole at its first line and its warnings.
    """
    details = report.warnings if is_brief and report.word == "ok" else _details(report, is_rehearsal)
    return [clean(_first(report, is_rehearsal), 400), *(f"  {clean(line, 400)}" for line in details)]


def _first(report: Report, is_rehearsal: bool) -> str:
    run = f", run {report.run_id}" if report.run_id else ""
    if report.word == "error" and is_rehearsal:
        verdict = "would be refused"
    elif report.word == "error":
        verdict = f"stopped{run}" if report.done else f"refused{run}"
    elif is_rehearsal:
        verdict = "would be imported" if report.word == "ok" else "would be imported in part"
    elif report.word == "ok":
        verdict = f"{'imported' if report.inserted or report.replaced else 'nothing new'}{run}"
    else:
        verdict = f"{report.word}{run}"
    why = [report.error] if report.error else []
    counts = [_counts(report, is_rehearsal)] if report.done else []
    return f"{report.file_name}: {verdict}: {'; '.join(why + counts)}"


def _details(report: Report, is_rehearsal: bool) -> Iterator[str]:
    if report.format:
        yield f"read as {report.format}: {report.unit_note}"
    yield from report.notes
    yield from report.warnings
    if report.unknown_hours:
        yield (
            f"rows whose interval nothing tells: {report.unknown_hours:,}; kept, but outside all sums until "
            "something does"
        )
    if is_rehearsal:
        yield from _spans(report.markets)
    yield from report.bad_rows
    if report.bad > len(report.bad_rows):
        told = ", ".join(f"{count:,} x {reason}" for reason, count in report.bad_reasons.items())
        yield f"{report.bad:,} bad rows in all: {told}"


def _counts(report: Report, is_rehearsal: bool) -> str:
    markets = len(report.markets)
    parts = [
        f"{report.rows:,} rows of {markets:,} market{'' if markets == 1 else 's'}",
        f"{report.inserted:,} {'would be ' if is_rehearsal else ''}new",
        f"{report.unchanged:,} stored already",
    ]
    if report.replaced:
        parts.append(f"{report.replaced:,} better than what is stored")
    if report.conflicts:
        parts.append(f"{report.conflicts:,} in conflict with what stays")
    if report.refused + report.bad:
        parts.append(f"{report.refused + report.bad:,} refused")
    return ", ".join(parts)


def _spans(spans: list[MarketSpan]) -> Iterator[str]:
    for span in spans[:MARKETS_SHOWN]:
        new = ", a market not known here yet" if span.is_new else ""
        yield f"{span.symbol}: {span.rows:,} rows, {utc(span.first)} to {utc(span.last)} UTC{new}"
    if len(spans) > MARKETS_SHOWN:
        yield f"and {len(spans) - MARKETS_SHOWN:,} markets more"
