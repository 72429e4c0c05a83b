"""Whether what fundwatch says of itself is true, asked after every step of a simulated life.

Judged from the wires, the runs as the rig saw them, and the second reader; never from the product's own
derivations.
"""

from collections.abc import Iterator
from itertools import takewhile

from fundwatch.answers.status import ExchangeStatus
from fundwatch.models import HOUR
from tests.rigs import second_reader
from tests.rigs.life import Life
from tests.rigs.small_world import Run, Sent
from tests.rigs.tracker_truth import TrackerTruth

STALE_AFTER_SECONDS = 2 * HOUR
QUOTES_SECONDS = 60
"""A pass may take so long from its first answer to the moment that it notes for its quotes."""
FAILURES_TO_LIST = 3
QUIET_SECONDS = 75 * 60
"""After so long without any trouble nothing may be left of an earlier one: there was a sweep meanwhile."""

WAKING_SECONDS = 70
"""After a sleep the first sign of life takes so long."""

RECENT_SECONDS = 700
"""A step and a little."""

ESSENTIAL: dict[str, dict[str, tuple[str, ...]]] = {
    "lighter": {"quotes": ("/orderBookDetails", "/funding-rates")},
    "hyperliquid": {"quotes": ("/info",)},
    "binance": {"quotes": ("/premiumIndex", "/fundingInfo"), "sweep": ("/exchangeInfo",)},
    "aster": {"quotes": ("/premiumIndex", "/fundingInfo"), "sweep": ("/exchangeInfo",)},
    "extended": {"quotes": ("/info/markets",)},
    "paradex": {"quotes": ("/markets/summary",), "sweep": ("/v1/markets",)},
    "variational": {"quotes": ("/metadata/stats",)},
}
"""Ends of the paths without whose answer there are no quotes, or no sweep."""

HARMLESS = frozenset({"", "duplicates", "jitter", "missing-rows", "one-symbol", "half", "nan"})
"""Faults that leave a whole answer readable, or its loss a partial one."""

RATES_ONLY = frozenset({"nan", "nan-bare", "drift", "unit"})


def _is_answer(sent: Sent, quoted: tuple[str, ...]) -> bool:
    """Whether something of this answer could be used."""
    kind = (sent.fault if sent.fault is not None else "none").partition(":")[0]
    if kind in RATES_ONLY and not any(path in sent.path for path in quoted):
        return True
    return kind in HARMLESS


class Witness:
    """Call it after each step: it holds every tracker's row against the runs, every `every_seconds` (and
    whenever the collector is gone) also what `status` answers. `complaints` holds what was not true, `rows`
    and `looked` how many rows and answers were judged, `words` how often each health word was said."""

    def __init__(self, every_seconds: float = HOUR) -> None:
        self.complaints: list[str] = []
        self.looked = 0
        self.rows = 0
        self.words: dict[str, int] = {}
        self._every = every_seconds
        self._next = 0.0
        self._truth: dict[str, TrackerTruth] = {}
        self._told = 0
        self._known = 0
        self._unjudged: list[Run] = []
        self._counted: dict[str, int] = {}
        self._trouble: dict[str, float] = {}

    def __call__(self, life: Life) -> None:
        now = life.clock.true()
        self._take_notes(life)
        self._judge_runs(life)
        for name in life.exchanges:
            if self._is_troubled(life, name):
                self._trouble[name] = now
        rows = second_reader.trackers(life.database)
        is_time = now >= self._next or life.collector is None
        records = {name: row.total_records for name, row in rows.items()}
        if is_time or records != self._counted:
            self._counted = records
            for name, count in second_reader.counts(life.database).items():
                if records[name] != count:
                    self._complain(life, name, f"total_records {records[name]}, stored were {count}")
        for name in life.exchanges:
            self.rows += 1
            for told in self._truth[name].lies(rows[name]):
                self._complain(life, name, f"its row says {told}")
        if is_time:
            self._next = now + self._every
            self._hear(life, rows)

    def _complain(self, life: Life, name: str, told: str) -> None:
        self.complaints.append(f"{_at(life)} {name}: {told}")

    def _hear(self, life: Life, rows: dict[str, second_reader.Tracker]) -> None:
        said = life.status()
        markets = second_reader.markets(life.database)
        newest = second_reader.newest(life.database)
        if said.collector.running != (life.collector is not None) and not self._wakes(life):
            self._complain(life, "collector", f"said to run: {said.collector.running}")
        for one in said.exchanges:
            if one.exchange not in life.exchanges:
                continue
            self.looked += 1
            self.words[one.health] = self.words.get(one.health, 0) + 1
            own = markets.get(one.exchange, {})
            told = list(self._judge(life, one, rows[one.exchange], own))
            if one.newest_settlement != newest.get(one.exchange):
                told.append(f"newest {one.newest_settlement}, truth {newest.get(one.exchange)}")
            for lie in told:
                self._complain(life, one.exchange, f"{lie} [{one.health}: {one.reason}]")

    def _wakes(self, life: Life) -> bool:
        """After a sleep there may be no sign of life yet."""
        return life.collector is not None and life.clock.true() - life.disturbed < WAKING_SECONDS

    def _is_troubled(self, life: Life, name: str) -> bool:
        """Whether something stands in this exchange's way now, or did in its last answers."""
        now = life.clock.true()
        if (
            life.collector is None
            or life.disturbed >= now - RECENT_SECONDS
            or life.disk_is_full
            or life.clock.ahead
        ):
            return True
        if life.world.has_closed(name, now - RECENT_SECONDS, now):
            return True
        if life.weather.standing(name, now) or life.collector.trackers[name].exchange.http.ban():
            return True
        recent = takewhile(lambda sent: sent.at > now - RECENT_SECONDS, reversed(life.wires[name].log))
        return any(sent.fault for sent in recent)

    # Runs

    def _take_notes(self, life: Life) -> None:
        for name in life.exchanges:
            self._truth.setdefault(name, TrackerTruth())
        for note in life.notes[self._told :]:
            if note.run is None:
                for truth in self._truth.values():
                    truth.die()
            else:
                self._truth[note.run.exchange].take(note, note.run)
        self._told = len(life.notes)

    def _judge_runs(self, life: Life) -> None:
        self._unjudged += life.runs[self._known :]
        self._known = len(life.runs)
        ended = [run for run in self._unjudged if run.ended is not None]
        self._unjudged = [run for run in self._unjudged if run.ended is None]
        for run in ended:
            for told in judge_run(life, run):
                self._complain(life, run.exchange, f"{run.kind} of {run.started:.0f}: {told}")

    # What the status says

    def _judge(
        self,
        life: Life,
        one: ExchangeStatus,
        row: second_reader.Tracker,
        markets: dict[str, second_reader.Seen],
    ) -> Iterator[str]:
        truth, alive = self._truth[one.exchange], life.collector is not None
        for name in ("last_run", "last_success", "total_runs", "total_records"):
            if getattr(one, name) != getattr(row, name):
                yield f"{name} {getattr(one, name)}, its table says {getattr(row, name)}"
        is_dead = bool(truth.underway) and not alive
        status = ("error", "interrupted") if is_dead else (truth.status, row.last_error)
        if (one.status, one.last_error) != status and not (truth.underway and self._wakes(life)):
            yield f"status {one.status}, {one.last_error}; truth {status}"
        yield from self._judge_health(life, one, truth, markets, is_dead)

    def _judge_health(
        self,
        life: Life,
        one: ExchangeStatus,
        truth: TrackerTruth,
        markets: dict[str, second_reader.Seen],
        is_dead: bool,
    ) -> Iterator[str]:
        name, now = one.exchange, life.clock.now()
        expected = [m for m in markets.values() if m.status == "active" and m.failures < FAILURES_TO_LIST]
        absent = sum(m.status == "absent" for m in markets.values())
        ages = [None if m.observed_at is None else now - m.observed_at for m in expected]
        late_after = max(3 * life.config.collector.quotes_every_seconds, 15 * 60)
        word = "error" if is_dead else _word(truth.failed, ages, absent, len(expected), late_after)
        if one.health != word and not (truth.underway and self._wakes(life)):
            yield f"health {one.health}, truth {word}"
        calm_for = life.clock.true() - self._trouble.get(name, life.weather.start)
        if calm_for > QUIET_SECONDS and (one.health != "ok" or one.last_error):
            yield f"not ok after {calm_for / 60:.0f} min without trouble: {one.last_error}"
        yield from self._judge_ages(life, one)

    def _judge_ages(self, life: Life, one: ExchangeStatus) -> Iterator[str]:
        """No quote is called younger than the last answer that the wire brought."""
        if life.clock.ahead or one.oldest_quote_seconds is None or one.newest_quote is None:
            return
        quoted = tuple(f.path for f in life.world.venues[one.exchange].quoted)
        log = life.wires[one.exchange].log
        last = next(
            (s for s in reversed(log) if s.status == 200 and any(path in s.path for path in quoted)), None
        )
        if last is not None and last.wall != last.at:
            return  # stamped by a clock that was wrong
        youngest = None if last is None else life.clock.now() - last.wall
        age = life.clock.now() - one.newest_quote
        if (
            (youngest is None or age < youngest - QUOTES_SECONDS)
            and age >= 0
            and life.clock.true() - life.disturbed > HOUR
        ):
            yield f"newest quote {age:.0f} s old, the last answer came {youngest} s ago"
        if one.health == "ok" and one.oldest_quote_seconds < age - 2:
            yield f"oldest quote {one.oldest_quote_seconds:.0f} s, newest {age:.0f} s"


def judge_run(life: Life, run: Run) -> Iterator[str]:
    """How a run says that it went, against the answers that it got."""
    if run.kind == "backfill" or run.word in (None, "killed", "interrupted", "cancelled"):
        return
    venue = life.world.venues[run.exchange]
    quoted = tuple(f.path for f in venue.quoted)
    needed = ESSENTIAL[run.exchange]["quotes"]
    if run.kind == "sweep":
        needed += ESSENTIAL[run.exchange].get("sweep", ())
    lacking = [
        path
        for path in needed
        if not any(sent.path.endswith(path) and _is_answer(sent, quoted) for sent in run.sent)
    ]
    if lacking and run.word != "error":
        yield f"called {run.word} without {lacking}: {[s.fault for s in run.sent][:12]}"
    if run.word == "ok" and run.kind == "sweep" and run.error:
        yield f"ok with an error: {run.error}"
    # What a list lacked an hour ago may have no quote now: that is honest.
    around = [s for s in run.sent if s.fault]
    if run.calm and not run.banned and run.sent and not around and run.word != "ok":
        others = [
            s.fault
            for s in life.wires[run.exchange].log[-600:]
            if s.fault and run.started - QUIET_SECONDS <= s.at <= (run.ended or s.at)
        ]
        closed = run.kind == "quotes" and life.world.has_closed(
            run.exchange, run.started - 2 * HOUR, run.ended or run.started
        )
        if not others and not closed:
            yield f"called {run.word} though all went well: {run.error}"


def _word(failed: str | None, ages: list[float | None], absent: int, expected: int, late_after: float) -> str:
    """The health word of DESIGN's rules: the first that applies."""
    if failed is None:
        return "never"
    if failed == "error":
        return "error"
    if not ages or None in ages:
        return "stale"
    oldest = max(age for age in ages if age is not None)
    if oldest > STALE_AFTER_SECONDS:
        return "stale"
    if failed == "partial" or (absent > 3 and absent * 20 > expected):
        return "partial"
    return "late" if oldest > late_after else "ok"


def _at(life: Life) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(life.clock.true(), UTC):%m-%d %H:%M:%S}"
