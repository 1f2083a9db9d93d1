"""A server of files, and a policy that lets this process ask it."""

from collections.abc import Iterator

import pytest

from tests.remote.server import Site, allowed, serving


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on this machine that may be asked, by short patience."""
    with serving() as found, allowed(found):
        yield found
