"""Whether what fundwatch says of itself is true, asked after every step of a simulated life.

Judged from the wires, the runs as the rig saw them, and the second reader; never from the product's own
derivations.
"""

from collections.abc import Iterator

from fundwatch.answers.status import ExchangeStatus, Status
from fundwatch.models import HOUR
from tests.rigs import second_reader
from tests.rigs.life import Life
from tests.rigs.small_world import Run, Sent

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
    """Call it after each step; `complaints` holds what was not true, `looked` how many answers were judged,
    `words` how often each health word was said."""

    def __init__(self, every_seconds: float = HOUR) -> None:
        self.complaints: list[str] = []
        self.looked = 0
        self.words: dict[str, int] = {}
        self._every = every_seconds
        self._next = 0.0
        self._judged: set[int] = set()
        self._failed: dict[str, str | None] = {}
        self._success: dict[str, int | None] = {}
        self._trouble: dict[str, float] = {}
        self._filled = False

    def __call__(self, life: Life) -> None:
        self._take_runs(life)
        now = life.clock.true()
        self._filled = self._filled or life.disk_is_full
        for name in life.exchanges:
            if self._is_troubled(life, name):
                self._trouble[name] = now
        if now < self._next and life.collector is not None:
            return
        self._next = now + self._every
        said = life.status()
        trackers = second_reader.trackers(life.database)
        markets = second_reader.markets(life.database)
        counts = second_reader.counts(life.database)
        for one in said.exchanges:
            if one.exchange in life.exchanges:
                self.looked += 1
                self.words[one.health] = self.words.get(one.health, 0) + 1
                for told in self._judge(
                    life,
                    said,
                    one,
                    trackers[one.exchange],
                    markets.get(one.exchange, {}),
                    counts[one.exchange],
                ):
                    self.complaints.append(f"{_at(life)} {one.exchange}: {told} [{one.health}: {one.reason}]")

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
        if life.weather.standing(name, now) or life.collector.trackers[name].exchange.http.ban():
            return True
        recent = [sent for sent in life.wires[name].log[-400:] if sent.at > now - RECENT_SECONDS]
        return any(sent.fault for sent in recent)

    # Runs

    def _take_runs(self, life: Life) -> None:
        for number, run in enumerate(life.runs):
            if number in self._judged or run.ended is None:
                continue
            self._judged.add(number)
            self.complaints += [
                f"{_at(life)} {run.exchange} {run.kind} of {run.started:.0f}: {told}"
                for told in judge_run(life, run)
            ]
            if run.kind == "sweep" and run.begun:
                self._end_sweep(run)

    def _end_sweep(self, run: Run) -> None:
        if run.word == "ok":
            self._failed[run.exchange] = ""
            self._success[run.exchange] = int(run.wall)
        elif run.word in ("partial", "error"):
            self._failed[run.exchange] = run.word
        elif self._failed.get(run.exchange) in (None, ""):
            self._failed[run.exchange] = "error"  # cut short

    # What the status says

    def _judge(
        self,
        life: Life,
        said: Status,
        one: ExchangeStatus,
        tracker: second_reader.Tracker,
        markets: dict[str, second_reader.Seen],
        count: int,
    ) -> Iterator[str]:
        name, alive = one.exchange, life.collector is not None
        own = [run for run in life.runs if run.exchange == name and run.begun]
        underway = [run for run in own if run.ended is None]
        has_slept = life.clock.true() - life.disturbed < WAKING_SECONDS
        if said.collector.running != alive and not (alive and has_slept):
            yield f"says that the collector {'runs' if said.collector.running else 'does not run'}"
        if (one.status == "running") != (alive and bool(underway)) and not self._filled:
            yield f"status {one.status} with {len(underway)} runs under way, collector {alive}"
        if one.status == "running" and not alive:
            yield "running outlives its process"
        if one.status == "idle" and not life.disk_is_full and (one.last_error or self._failed.get(name)):
            yield f"idle hides {one.last_error or self._failed.get(name)}"
        if not self._filled:
            if one.total_runs != len(own):
                yield f"total_runs {one.total_runs}, there were {len(own)}"
            if one.last_success != self._success.get(name):
                yield f"last_success {one.last_success}, truth {self._success.get(name)}"
        least = count if name != "paradex" else 0
        if not least <= one.total_records or (name != "paradex" and one.total_records != count):
            yield f"total_records {one.total_records}, stored are {count}"
        if (one.total_records, one.last_success, one.total_runs) != (
            tracker.total_records,
            tracker.last_success,
            tracker.total_runs,
        ):
            yield "the status says something else than its table"
        yield from self._judge_health(life, one, markets, alive, underway)

    def _judge_health(
        self,
        life: Life,
        one: ExchangeStatus,
        markets: dict[str, second_reader.Seen],
        alive: bool,
        underway: list[Run],
    ) -> Iterator[str]:
        name, now = one.exchange, life.clock.now()
        expected = [m for m in markets.values() if m.status == "active" and m.failures < FAILURES_TO_LIST]
        absent = sum(m.status == "absent" for m in markets.values())
        ages = [None if m.observed_at is None else now - m.observed_at for m in expected]
        late_after = max(3 * life.config.collector.quotes_every_seconds, 15 * 60)
        failed = self._failed.get(name)
        cut = not alive and bool([r for r in life.runs if r.exchange == name and r.word == "killed"])
        words: set[str] = set()
        if cut:
            words = {"error"} if one.last_error == "interrupted" else set()
        if not words:
            words = {_word(failed, ages, absent, len(expected), late_after)}
        if underway or self._filled:
            words |= {_word(failed, ages, absent, len(expected), late_after), one.health}
            if self._filled and not life.disk_is_full and one.health == "ok":
                words = {"ok"}
        if one.health not in words:
            yield f"health {one.health}, truth {sorted(words)}"
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
        if not others:
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
