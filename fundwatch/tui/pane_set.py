"""The panes there are; each is loaded when it is first wanted, so that the first one is there at once."""

from fundwatch.tui.frame.pane_line import Tab
from fundwatch.tui.panes.base import Pane

TABS = (
    Tab("overview", "1", "Overview"),
    Tab("rates", "2", "Rates"),
    Tab("arbitrage", "3", "Arbitrage"),
    Tab("trackers", "4", "Trackers"),
    Tab("alerts", "5", "Alerts"),
)
NAMES = tuple(tab.name for tab in TABS)


def make_pane(name: str) -> Pane:
    """A new pane; its id is its name."""
    return pane_class(name)(id=name)


def pane_class(name: str) -> type[Pane]:
    """What to make a pane of; KeyError for a name that is none."""
    match name:
        case "overview":
            from fundwatch.tui.panes.overview import OverviewPane

            return OverviewPane
        case "rates":
            from fundwatch.tui.panes.rates import RatesPane

            return RatesPane
        case "arbitrage":
            from fundwatch.tui.panes.arbitrage import ArbitragePane

            return ArbitragePane
        case "trackers":
            from fundwatch.tui.panes.trackers import TrackersPane

            return TrackersPane
        case "alerts":
            from fundwatch.tui.panes.alerts import AlertsPane

            return AlertsPane
    raise KeyError(name)
