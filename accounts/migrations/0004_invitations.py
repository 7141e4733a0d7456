import core.clock
import core.ids
import django.db.models.deletion
import django.db.models.functions.text
from core.sql.operations import grant, never_deleted
from django.db import migrations, models

ROLES = [
    ("tester", "Tester"),
    ("reviewer", "Reviewer"),
    ("manager", "Manager"),
    ("finance", "Finance"),
    ("auditor", "Auditor"),
]

LAW = """
CREATE FUNCTION accounts_invitation_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.programme_id, NEW.role, NEW.digest, NEW.made_by_id, NEW.made_at,
        NEW.expires_at)
       IS DISTINCT FROM (OLD.id, OLD.programme_id, OLD.role, OLD.digest, OLD.made_by_id,
        OLD.made_at, OLD.expires_at) THEN
        RAISE EXCEPTION 'what was offered never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'invitation_is_what_it_was';
    END IF;
    IF OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL THEN
        RAISE EXCEPTION 'an invitation ends once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'invitation_ends_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invitation_law BEFORE UPDATE ON accounts_invitation
    FOR EACH ROW EXECUTE FUNCTION accounts_invitation_law();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_third_party_grants")]
    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("role", models.CharField(choices=ROLES, max_length=16)),
                ("digest", models.BinaryField(unique=True)),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="accounts.programme",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("programme", "email"),
                        name="one_open_invitation_per_programme_and_address",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("email", django.db.models.functions.text.Lower("email"))
                        ),
                        name="invitation_email_is_lower_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("accepted_by", None),
                                ("ended_at", None),
                                models.Q(("email", ""), _negated=True),
                            ),
                            models.Q(("email", ""), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="an_ended_invitation_keeps_no_address",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("made_at"))),
                        name="invitation_expires_after_it_is_made",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("role__in", ["tester", "reviewer", "manager", "finance", "auditor"])
                        ),
                        name="invitation_role_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(LAW, "DROP FUNCTION accounts_invitation_law CASCADE"),
        never_deleted("accounts_invitation"),
        grant("GRANT UPDATE (ended_at, email, accepted_by_id) ON accounts_invitation TO {app}"),
    ]
