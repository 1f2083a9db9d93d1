"""The collection as a job: workers start one a day, and the job's lease keeps it to one of them."""

from typing import Any

from webapp.housekeeping.collector import collect
from webapp.jobs.context import JobContext


def run(context: JobContext) -> dict[str, Any]:
    """Return what was removed."""
    report = collect()
    for found in report.removed[:200]:
        context.log(f"Removed {found.store}: {found.name} ({found.bytes:,} bytes).")
    return {"removed": len(report.removed), "bytes": report.bytes, "young": report.young}
