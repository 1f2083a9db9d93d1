"""The audit is only ever added to; a deleted user or project may be forgotten, the act not."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION quadrat_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR
       (NEW.action, NEW.target, NEW.details, NEW.at) IS DISTINCT FROM (OLD.action, OLD.target, OLD.details, OLD.at)
    THEN
        RAISE EXCEPTION 'rows of % are only ever inserted', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON projects_auditentry
    FOR EACH ROW EXECUTE FUNCTION quadrat_audit_stays();
"""

BACKWARD = """
DROP TRIGGER audit_stays ON projects_auditentry;
DROP FUNCTION quadrat_audit_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_sign_in_attempts")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
