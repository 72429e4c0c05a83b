import pytest

from fundwatch.doctor.finding import Finding, Level, guarded, worst
from fundwatch.doctor.program import LIBRARIES, look_at_program, sqlite_finding


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.44.5", "3.45.0", "3.50.6", "3.51.2"])
def test_a_sqlite_with_the_wal_reset_bug_is_noted_with_why_it_does_no_harm(version: str) -> None:
    finding = sqlite_finding(version)
    assert finding.level is Level.NOTE
    assert version in finding.message
    assert "one connection makes all commits and all checkpoints" in finding.message


@pytest.mark.parametrize("version", ["3.6.23", "3.44.6", "3.50.7", "3.51.3", "3.52.0", "4.0.0"])
def test_a_sqlite_without_it_is_well(version: str) -> None:
    assert sqlite_finding(version).level is Level.OK


def test_versions_of_everything_are_told() -> None:
    told = " ".join(finding.message for finding in look_at_program())
    assert all(f"{name} " in told for name in ("Python", *LIBRARIES))
    assert "not installed" not in told


def test_the_worst_finding_decides() -> None:
    findings = [Finding("a", level, "b", "c") for level in (Level.NOTE, Level.FAIL, Level.WARN, Level.OK)]
    assert worst(findings) is Level.FAIL
    assert worst([]) is Level.OK


def test_what_cannot_be_looked_at_is_a_finding_of_its_own() -> None:
    def look() -> list[Finding]:
        raise ValueError("\x1b[2Jodd rows")

    (finding,) = guarded("database", "units", look)
    assert finding.level is Level.FAIL
    assert finding.message == "could not be looked at: [2Jodd rows"
