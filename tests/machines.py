"""How far state machines walk: a little in every test run, and as far as asked in one of its own."""

import os
import re

import pytest
from hypothesis import HealthCheck, settings

# Examples and steps of each, as in 200x40: `make machines`.
SIZE = os.environ.get("QUADRAT_TEST_MACHINES", "")


def walks(examples: int, steps: int) -> settings:
    """Return the settings of a state machine: so many examples of so many steps where nothing else is asked for."""
    if SIZE:
        asked = re.fullmatch(r"(\d+)x(\d+)", SIZE)
        if asked is None:
            raise pytest.UsageError(f"QUADRAT_TEST_MACHINES is {SIZE!r}. Write examples and steps, as in 200x40.")
        examples, steps = int(asked[1]), int(asked[2])
    # A step is a transaction on a real database: how long it takes says nothing.
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
