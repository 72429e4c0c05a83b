"""How rates, times and amounts look in every pane: one set of words, so that a number reads the same
wherever it stands."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from textual.content import Content

from fundwatch.models import hourly_rate
from fundwatch.text import age, printable, signed
from fundwatch.tui.tables.columns import Cell

Unit = Literal["apr", "payment", "8h", "dollars"]
UNITS: tuple[Unit, ...] = get_args(Unit)

POSITION_USD = 10_000
"""The position whose funding a day the unit `dollars` gives."""

_HEADINGS: dict[Unit, str] = {"apr": "APR %", "payment": "% paid", "8h": "% 8 h", "dollars": "$ a day"}
_NAMES: dict[Unit, str] = {
    "apr": "APR: percent a year, not compounded",
    "payment": "percent of the position for one payment",
    "8h": "percent of the position for 8 hours",
    "dollars": f"US dollars a day for a position of ${POSITION_USD:,}",
}
_DECIMALS: dict[Unit, int] = {"apr": 2, "payment": 5, "8h": 4, "dollars": 2}
MISSING = Cell("-", "muted")


@dataclass(frozen=True, slots=True)
class Words:
    """The person's choice of unit for rates and of time zone; the sign is always that of the funding
    rate, positive when longs pay."""

    unit: Unit = "apr"
    local_time: bool = False

    @property
    def heading(self) -> str:
        """The unit as a column's heading, at most 7 cells."""
        return _HEADINGS[self.unit]

    @property
    def sign(self) -> str:
        """What follows a window's name in a heading: `24h %`, `24h $`."""
        return "$" if self.unit == "dollars" else "%"

    @property
    def unit_name(self) -> str:
        """The unit in full, for a tooltip."""
        return _NAMES[self.unit]

    @property
    def decimals(self) -> int:
        """How many of them a rate is shown with."""
        return _DECIMALS[self.unit]

    @property
    def zone(self) -> str:
        return "local" if self.local_time else "UTC"

    def value(self, apr_percent: float | None, interval_hours: float | None = None) -> float | None:
        """An APR (percent) in the chosen unit; None where the interval is needed and not known."""
        if apr_percent is None or self.unit == "apr":
            return apr_percent
        hourly = hourly_rate(apr_percent)
        if self.unit == "dollars":
            return hourly * 24 * POSITION_USD
        hours = 8.0 if self.unit == "8h" else interval_hours
        return None if hours is None else hourly * hours * 100

    def rate(
        self, apr_percent: float | None, interval_hours: float | None = None, *, trusted: bool = True
    ) -> Cell:
        """The rate behind an APR (percent) with its sign, coloured by it; grey where it is not trusted."""
        value = self.value(apr_percent, interval_hours)
        if value is None:
            return MISSING
        text = signed(value, _DECIMALS[self.unit])
        return Cell(text, sign_style(text) if trusted else "stale")

    def clock(self, seconds: float | None) -> str:
        """`14:02`, in the chosen zone."""
        return self._time(seconds, "%H:%M")

    def moment(self, seconds: float | None) -> str:
        """`11-20 14:02`, in the chosen zone."""
        return self._time(seconds, "%m-%d %H:%M")

    def stamp(self, seconds: float, now: float) -> str:
        """The time of day, or the day when that is longer ago, in 5 cells: `14:02`, `11-19`."""
        return self._time(seconds, "%H:%M" if now - seconds < 86400 else "%m-%d")

    def when(self, seconds: float | None, now: float) -> str:
        """The time of day, with the day too unless that is today, in at most 11 cells: `14:02`,
        `11-19 20:09`, and only the day where it was in another year."""
        day = self._time(seconds, "%Y-%m-%d")
        today = self._time(now, "%Y-%m-%d")
        if day == today or day[:4] != today[:4]:
            return self.clock(seconds) if day == today else day
        return self.moment(seconds)

    def day(self, seconds: float | None) -> str:
        """`2026-11-20 14:02 UTC`, for a sentence."""
        return f"{self._time(seconds, '%Y-%m-%d %H:%M')} {self.zone}"

    def _time(self, seconds: float | None, form: str) -> str:
        if seconds is None:
            return "-"
        moment = datetime.fromtimestamp(seconds, UTC)
        return (moment.astimezone() if self.local_time else moment).strftime(form)


def sign_style(text: str) -> str:
    """The colour of a signed number, which stands beside its sign and never replaces it."""
    return "bad" if text.startswith("-") and text != "-" else "good" if text.startswith("+") else ""


def percent(value: float | None, decimals: int = 2) -> Cell:
    """A signed percentage that is not a rate: a price gap, a round trip."""
    text = signed(value, decimals)
    return MISSING if text == "-" else Cell(text, sign_style(text))


def share(value: float | None) -> Cell:
    """A share from 0 to 1 as whole percent, rounded down, so that 100 means all."""
    return MISSING if value is None else Cell(str(int(value * 100 + 1e-9)))


def dollars(value: float | None) -> Cell:
    """US dollars in millions with one decimal, for a column whose heading says `$m`."""
    if value is None:
        return MISSING
    millions = value / 1e6
    return Cell("<0.1" if 0 < millions < 0.05 else f"{millions:,.1f}")


def since(then: float | None, now: float) -> str:
    """How long ago: `42 s`, `2 h 14 min`; "-" when never."""
    return age(None if then is None else now - then)


def short_age(seconds: float | None) -> str:
    """An age in one unit and at most 6 cells: `42 s`, `14 min`, `2 h`, `3 d`; "-" when never."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def countdown(then: float | None, now: float) -> str:
    """How long until `then`, in at most 6 cells: `3h07`, `48 min`, `<1 min`, `due` when it has passed."""
    if then is None:
        return "-"
    left = int(then - now)
    if left <= 0:
        return "due"
    if left < 60:
        return "<1 min"
    minutes = left // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}"


def interval(hours: float | None, *, continuous: bool = False) -> str:
    """What one payment covers: `8 h`, `cont` where funding accrues all the time."""
    if continuous:
        return "cont"
    return "-" if hours is None else f"{hours:g} h"


def plain(text: str, style: str = "") -> Content:
    """Text from outside for a widget: shown letter by letter, never read as markup."""
    return Content.styled(printable(text), style) if style else Content(printable(text))
