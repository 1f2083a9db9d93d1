"""A small chaos run in every test run: people label while the site is killed under them; nothing is lost or doubled."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.driver import database_url_of_tests
from tests.chaos.driver import PROFILES, Run


@pytest.mark.chaos
def test_people_label_through_faults_and_every_invariant_holds(
    transactional_db: None, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    outcome = Run(PROFILES["test"], seed=1, folder=tmp_path, database=database_url_of_tests()).go()
    record_property("table", outcome.markdown())
    assert outcome.findings == [], outcome.findings
    counts = outcome.counts()
    assert counts["acknowledged"] > 20
    assert counts["sent again for want of an answer"] > 0
    assert counts["refused as invalid"] == 0
    assert set(outcome.recovery()) == set(PROFILES["test"].kinds)
