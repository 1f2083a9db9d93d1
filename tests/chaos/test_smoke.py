"""A small chaos run in every test run: people label while the site is killed under them; nothing is lost or doubled."""

from pathlib import Path

import pytest

from tests.browser.driver import database_url_of_tests
from tests.chaos.driver import PROFILES, Run


@pytest.mark.chaos
def test_people_label_through_faults_and_every_invariant_holds(
    transactional_db: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = Run(PROFILES["test"], seed=1, folder=tmp_path, database=database_url_of_tests()).go()
    with capsys.disabled():
        print(f"\n{outcome.markdown()}")  # noqa: T201 (the table is what this test is for)
    assert outcome.findings == [], outcome.findings
    counts = outcome.counts()
    assert counts["acknowledged"] > 20
    assert counts["sent again for want of an answer"] > 0
    assert counts["refused as invalid"] == 0
    assert set(outcome.recovery()) == set(PROFILES["test"].kinds)
