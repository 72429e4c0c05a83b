"""`fundwatch status`: the health of each tracker, for people, scripts and a tmux status bar."""

from fundwatch.answers.status import NO_DATA_YET, ExchangeStatus, Status, nothing_yet, status
from fundwatch.clock import SystemClock
from fundwatch.commands.printing import print_error, print_json, print_table, print_world
from fundwatch.commands.session import Session
from fundwatch.storage.database import reader
from fundwatch.storage.errors import NoDatabase
from fundwatch.tables import Column
from fundwatch.text import age, clean, utc

_COLUMNS = (
    Column("exchange"),
    Column("health"),
    Column("fresh", right=True),
    Column("quotes", right=True),
    Column("last success UTC"),
    Column("settled UTC"),
    Column("settlements", right=True),
    Column("gaps h", right=True),
    Column("unit check"),
)


def show_status(session: Session, *, as_json: bool, as_line: bool) -> int:
    """Prints the status; returns the exit code. Without a database: that nothing was collected yet."""
    now = SystemClock().now()
    try:
        with reader(session.database, world=session.world) as db:
            answer = status(db, session.config, now)
    except NoDatabase as error:
        print_error(error)
        answer = nothing_yet(session.config)
    if as_json:
        print_json(answer)
    elif as_line:
        print(line(answer, demo=session.demo))
    else:
        _print(answer, session, now)
    return answer.exit_code


def line(answer: Status, *, demo: bool) -> str:
    """`fundwatch 6 ok 1 STALE extended`, for a status bar: what is not ok is named."""
    counted = answer.counted
    if answer.exit_code == NO_DATA_YET:
        return " ".join(["fundwatch", *(["DEMO"] if demo else []), "no data yet"])
    fine = sum(one.health == "ok" for one in counted)
    parts = ["fundwatch"] + (["DEMO"] if demo else []) + [f"{fine} ok"]
    words: dict[str, list[str]] = {}
    for one in counted:
        if one.health != "ok":
            words.setdefault(str(one.health), []).append(one.exchange)
    for word, names in words.items():
        loud = word if word in ("late", "paused", "never") else word.upper()
        parts.append(f"{len(names)} {loud} {','.join(names)}")
    if not answer.collector.running or answer.collector.role != "collector":
        parts.append("no collector")
    return " ".join(parts)


def _print(answer: Status, session: Session, now: float) -> None:
    print_world(demo=session.demo)
    print_table(_COLUMNS, [_row(one) for one in answer.exchanges])
    collector = answer.collector
    role = clean(collector.role or "", 20)
    if collector.running:
        print(f"\n{role}: process {collector.pid}")
    elif collector.heartbeat is not None:
        died = age(now - collector.heartbeat)
        print(f"\n{role}: process {collector.pid} gave its last sign of life {died} ago")
    else:
        print("\ncollector: not running")
    for one in answer.counted:
        if why := one.reason or one.last_error:
            print(f"{one.exchange}: {clean(why, 300)}")


def _row(one: ExchangeStatus) -> tuple[str, ...]:
    check = one.unit_check
    modal = "" if check.modal_apr_percent is None else f" {check.modal_apr_percent:.2f} %"
    return (
        one.exchange,
        str(one.health) if one.enabled else "off",
        f"{one.markets_fresh}/{one.markets}",
        age(one.oldest_quote_seconds),
        utc(one.last_success),
        utc(one.newest_settlement),
        f"{one.total_records:,}",
        f"{one.gaps_open:,}",
        f"{check.verdict}{modal}",
    )
