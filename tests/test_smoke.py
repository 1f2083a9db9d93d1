"""The project starts at all."""

from django.core.management import call_command


def test_system_check_finds_nothing_that_stops_the_start() -> None:
    call_command("check", fail_level="ERROR")
