"""The tests would notice: with a defect put into the product on purpose, those that claim its rule fail."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.rigs.defects import DEFECTS, NONE, Verdict

ROOT = Path(__file__).parents[2]


def verdicts(*arguments: str) -> Mapping[str, Verdict]:
    """Told by a process that has not imported the product yet."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.rigs.defects", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [Verdict(*json.loads(line)) for line in told.stdout.splitlines()]
    return {verdict.name: verdict for verdict in found}


@pytest.fixture(scope="module")
def told() -> Mapping[str, Verdict]:
    return verdicts()


def test_without_a_defect_the_tests_that_claim_a_rule_pass(told: Mapping[str, Verdict]) -> None:
    assert told[NONE].code == 0, told[NONE].said


@pytest.mark.parametrize("name", DEFECTS)
def test_the_tests_that_claim_a_rule_find_its_defect(name: str, told: Mapping[str, Verdict]) -> None:
    verdict = told[name]
    assert verdict.code == 1, verdict.said
    assert " failed" in verdict.said.splitlines()[-1], verdict.said


@pytest.mark.long
@pytest.mark.parametrize("name", [NONE, *DEFECTS])
def test_all_tests_together_find_every_defect(name: str) -> None:
    [verdict] = verdicts("--whole", name).values()
    assert verdict.code == (0 if name == NONE else 1), verdict.said
