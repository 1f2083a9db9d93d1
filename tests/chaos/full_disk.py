"""What uploads met that came while the disk was full."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.chaos.database import Finding
from webapp.jobs.models import Job

REFUSED = (507, "storage_full")


@dataclass
class Upload:
    """A file that was sent while the disk was full.

    Attributes:
        where: "body": while it came; "rows": while a job read it.
        status: of the answer.
        code: of the error that it named; "": none.
        job: that read it; "": it did not come so far.
        again: the job that read it when there was room again; "": nobody tried.
    """

    where: str
    status: int
    code: str
    job: str = ""
    again: str = ""


def of_full_disk(uploads: Sequence[Upload]) -> Iterable[Finding]:
    """Yield what was not refused as it should be, or not taken when there was room again.

    What a refused one might have left behind, files and features, other invariants find.
    """
    for upload in uploads:
        if upload.where == "body":
            met: tuple[object, ...] = (upload.status, upload.code)
        else:
            job = Job.objects.get(pk=upload.job)
            met = (507 if job.state == Job.State.FAILED else job.state, job.error_code)
        if met != REFUSED:
            yield Finding("full", f"a full disk was met in the {upload.where}: {met}")
        if upload.again and Job.objects.get(pk=upload.again).state != Job.State.SUCCEEDED:
            yield Finding("full", f"with room again, job {upload.again} did not succeed")
