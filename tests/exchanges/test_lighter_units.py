"""The units of Lighter's fields."""

import pytest

from fundwatch.exchanges.decode import BadNumber
from fundwatch.exchanges.lighter_units import (
    hourly_rate_from_funding_rates,
    payment_from_fundings,
    rate_from_fundings,
)
from fundwatch.models import apr_percent


def test_the_estimate_is_a_fraction_for_eight_hours() -> None:
    assert hourly_rate_from_funding_rates(0.000096) == pytest.approx(0.000012)
    assert apr_percent(hourly_rate_from_funding_rates(0.000096)) == pytest.approx(10.512)
    assert hourly_rate_from_funding_rates(-0.00016) == pytest.approx(-0.00002)


def test_the_settled_rate_is_a_percent_signed_by_the_side_that_pays() -> None:
    assert rate_from_fundings(0.0012, "long") == pytest.approx(0.000012)
    assert rate_from_fundings(0.0012, "short") == pytest.approx(-0.000012)
    assert apr_percent(rate_from_fundings(0.0012, "short")) == pytest.approx(-10.512)


def test_the_payment_has_the_sign_of_the_rate() -> None:
    assert payment_from_fundings(0.02707872, "long") == 0.02707872
    assert payment_from_fundings(0.00452778, "short") == -0.00452778


def test_a_rate_of_zero_has_no_sign() -> None:
    assert str(rate_from_fundings(0.0, "short")) == "0.0"


@pytest.mark.parametrize("direction", ["", "LONG", "both", "\x1b[31m"])
def test_an_unknown_direction_is_refused(direction: str) -> None:
    with pytest.raises(BadNumber, match="neither long nor short"):
        rate_from_fundings(0.0012, direction)


def test_a_percent_with_a_sign_of_its_own_is_refused() -> None:
    with pytest.raises(BadNumber, match="sign of its own"):
        rate_from_fundings(-0.0012, "long")
