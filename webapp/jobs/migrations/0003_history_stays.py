"""What has happened stays: finished jobs and log lines never change."""

from django.db import migrations, models
from django.db.models import Q

FINAL = ["succeeded", "failed", "cancelled"]

FORWARD = """
CREATE FUNCTION quadrat_job_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('succeeded', 'failed', 'cancelled') AND
       (NEW.state, NEW.result, NEW.error_code, NEW.error_message, NEW.attempt, NEW.finished_at, NEW.kind, NEW.spec)
       IS DISTINCT FROM
       (OLD.state, OLD.result, OLD.error_code, OLD.error_message, OLD.attempt, OLD.finished_at, OLD.kind, OLD.spec)
    THEN
        RAISE EXCEPTION 'job % has finished (%) and never changes again', OLD.id, OLD.state;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER job_final BEFORE UPDATE ON jobs_job FOR EACH ROW EXECUTE FUNCTION quadrat_job_final();

CREATE FUNCTION quadrat_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever inserted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER job_event_insert_only BEFORE UPDATE ON jobs_jobevent
    FOR EACH ROW EXECUTE FUNCTION quadrat_insert_only();
"""

BACKWARD = """
DROP TRIGGER job_event_insert_only ON jobs_jobevent;
DROP FUNCTION quadrat_insert_only();
DROP TRIGGER job_final ON jobs_job;
DROP FUNCTION quadrat_job_final();
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_initial")]

    operations = [
        migrations.AddConstraint(
            "job",
            models.CheckConstraint(
                condition=(Q(state__in=FINAL, finished_at__isnull=False, token__isnull=True))
                | (~Q(state__in=FINAL) & Q(finished_at__isnull=True)),
                name="job_final_has_end",
            ),
        ),
        migrations.AddConstraint(
            "job",
            models.CheckConstraint(
                condition=(Q(state="failed") & ~Q(error_code="")) | (~Q(state="failed") & Q(error_code="")),
                name="job_failed_has_error",
            ),
        ),
        migrations.AddConstraint(
            "job",
            models.CheckConstraint(
                condition=Q(progress__gte=0.0, progress__lte=1.0), name="job_progress_range"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
