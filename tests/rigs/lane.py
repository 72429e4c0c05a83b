"""One database whose processes are killed again and again, examined after each death."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fundwatch.answers.status import status
from fundwatch.config import Config
from fundwatch.demo.truth import Truth
from fundwatch.demo.world import VENUES
from fundwatch.models import HOUR, Kind
from fundwatch.storage.database import reader
from tests.acceptance.house import NOON
from tests.rigs import aftermath, lives, second_reader
from tests.rigs.kill import NEVER, SEED, Death, Moment, live
from tests.rigs.small_world import TICKERS, small

DAY = 24 * HOUR
START = NOON + 20 * 60


@dataclass
class Lane:
    """One database, killed again and again; `now` is its clock (UTC seconds).

    `interrupted` are the exchanges whose runs the last life did not end, `seen` the kinds of all such runs.
    """

    folder: Path
    seed: str
    now: float = START
    told: list[dict[str, Any]] = field(default_factory=list)
    deaths: int = 0
    seen: set[str] = field(default_factory=set)
    interrupted: set[str] = field(default_factory=set)

    @property
    def path(self) -> Path:
        return lives.database(self.folder)

    def collect(self, moment: Moment, dice: random.Random, rounds: int, past: Path | None) -> Death:
        before = aftermath.stored(self.path) if self.path.exists() else {}
        death = live(
            lives.collecting,
            self.folder,
            moment,
            folder=self.folder,
            now=self.now,
            seed=dice.randrange(2**32),
            rounds=rounds,
            past=past,
        )
        self.told += death.told
        self.now = max([said["now"] for said in death.of("round")], default=self.now)
        self.examine(death, before, f"{self.seed}: {moment}")
        return death

    def bring_in(self, past: Path, moment: Moment) -> None:
        before = aftermath.stored(self.path) if self.path.exists() else {}
        death = live(lives.importing, self.folder, moment, folder=self.folder, now=self.now, past=past)
        self.told += death.told
        self.examine(death, before, f"{self.seed}: {moment}")

    def examine(self, death: Death, before: aftermath.Rows, told: str) -> None:
        if not self.path.exists():
            assert not death.told, told
            return
        assert not aftermath.is_locked(self.path), told
        if not second_reader.rows(self.path, "SELECT 1 FROM sqlite_schema WHERE name = 'tracker'"):
            return
        assert aftermath.faults(self.path) == [], told
        assert aftermath.lost(self.path, death.told if death.was_killed else self.told) == [], told
        assert aftermath.torn(before, aftermath.stored(self.path), death.told) == [], told
        assert self.recovered(death) == [], told
        if death.was_killed:
            self.deaths += 1
            self.interrupted = {name for name, _ in second_reader.open_runs(self.path)}
            self.seen |= {kind for _, kind in second_reader.open_runs(self.path)}
            assert self.misread() == [], told

    def recovered(self, death: Death) -> list[str]:
        """How the start after the last death left its trackers."""
        found = []
        for opened in death.of("opened"):
            for name, state in opened["states"].items():
                if state is None:
                    continue
                if state["status"] == "running":
                    found.append(f"{name} is running after a new start")
                if name in self.interrupted and "interrupted" not in (state["last_error"] or "interrupted"):
                    found.append(f"{name} hides that it was interrupted: {state['last_error']}")
        return found

    def misread(self) -> list[str]:
        """Whom `status` calls running, or well, that died in the middle of a run."""
        with reader(self.path) as db:
            said = status(db, Config(), self.now)
        return [
            f"{one.exchange}: {one.status}, {one.last_error}"
            for one in said.exchanges
            if one.status == "running"
            or (one.exchange in self.interrupted and (one.status, one.last_error) != ("error", "interrupted"))
        ]


def moments(dice: random.Random) -> Moment:
    return Moment.drawn(dice, seconds=0.5, statement=2000, change=600, inside=40, told=100)


def past_of(folder: Path, number: int = 0) -> Path:
    """A file of payments from before what is collected; each `number` has days of its own."""
    path = folder / "past.csv"
    venue = {kind.name: kind(Truth(7)) for kind in VENUES}["binance"]
    venue.listing = small("binance", TICKERS["binance"])
    end = START - (1 + 20 * (number % 100)) * DAY
    lines = ["symbol,funding_time_s,rate,interval_hours"]
    lines += [
        f"{market.symbol},{paid.funding_time},{paid.rate!r},{paid.interval_hours}"
        for market in venue.markets(START)
        if market.symbol in TICKERS["binance"].split()
        for paid in venue.settled(market, end - 20 * DAY, end)
        if paid.kind == Kind.REGULAR
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def expected(lane: Lane, exchange: str) -> aftermath.Rows:
    """What must be stored of the last days, read from the truth of the world."""
    venue = {kind.name: kind(Truth(7)) for kind in VENUES}[exchange]
    venue.listing = small(exchange, TICKERS[exchange])
    start, end = (int(at) // HOUR * HOUR for at in (lane.now - lives.HISTORY_DAYS * DAY, lane.now))
    gone = dict(
        second_reader.rows(
            lane.path,
            "SELECT symbol, last_seen FROM market m JOIN exchange e ON e.id = m.exchange_id"
            " WHERE e.name = ? AND m.status <> 'active'",
            exchange,
        )
    )
    return {
        (exchange, market.symbol, paid.funding_time, paid.kind): paid.rate
        for market in venue.markets(end)
        for paid in venue.settled(market, start, end)
        if paid.funding_time <= gone.get(market.symbol, end)
    }


def lane(folder: Path, seed: str, kills: int) -> Lane:
    """Kills a collector `kills` times, lets it end well, and holds what is stored against the truth."""
    folder.mkdir()
    one = Lane(folder, seed)
    for number in range(kills):
        dice = random.Random(f"{seed}/{number}")
        one.seed = f"FUNDWATCH_SEED={SEED}, trial {seed}/{number}"
        if number % 5 == 4:
            moment = Moment.drawn(dice, change=36, statement=900, inside=40, told=2)
            one.bring_in(past_of(folder, number), moment)
        else:
            past = past_of(folder, number) if dice.random() < 0.5 else None
            one.collect(moments(dice), dice, rounds=50, past=past)
        one.now += dice.choice([0, 60, HOUR, 20 * HOUR])
    one.seed = f"FUNDWATCH_SEED={SEED}, the end of {seed}"
    last = one.collect(NEVER, random.Random(seed), rounds=2, past=None)
    assert (last.code, last.of("closed")) == (0, [{"word": "closed"}]), one.seed
    return one
