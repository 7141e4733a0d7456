import core.clock
import core.fields
import core.ids
import datetime
import django.db.models.deletion
import django.db.models.expressions
import review.ledger.models
import review.submissions.models
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0005_rates"),
        ("generation", "0003_public_openings"),
    ]

    operations = [
        # Rows take their number from it when they are made.
        migrations.RunSQL("CREATE SEQUENCE review_case_number", "DROP SEQUENCE review_case_number"),
        migrations.RunSQL("CREATE SEQUENCE review_line_number", "DROP SEQUENCE review_line_number"),
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("master_sha256", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[("release", "Release"), ("appeal", "Appeal")],
                        default="release",
                        max_length=12,
                    ),
                ),
                ("round", models.PositiveSmallIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("claimed", "Claimed"),
                            ("approved", "Approved"),
                            ("declined", "Declined"),
                            ("changes_requested", "Changes Requested"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="queued",
                        max_length=20,
                    ),
                ),
                ("fair_tag", models.BigIntegerField()),
                ("fair_end", models.BigIntegerField()),
                (
                    "queue_number",
                    models.BigIntegerField(
                        db_default=review.submissions.models.NextCaseNumber(),
                        editable=False,
                        unique=True,
                    ),
                ),
                ("opened_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("due_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("lease_slot", models.PositiveSmallIntegerField(null=True)),
                ("lease_number", models.BigIntegerField(default=0)),
                ("escalated_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="generation.clip",
                    ),
                ),
                (
                    "lease_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="leased_cases",
                        to="accounts.party",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="accounts.programme",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Clause",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "ground",
                    models.CharField(
                        choices=[
                            ("real_person", "A recognisable person who did not consent"),
                            ("minor", "Danger or harm to a child"),
                            ("sexual", "Sexual content"),
                            ("violence", "Graphic violence"),
                            ("hate", "Hatred of people for what they are"),
                            ("private_detail", "Somebody's private details"),
                            ("others_work", "Somebody else's protected work or mark"),
                            ("deception", "Made to pass for a real event"),
                            ("unlawful", "Against the law"),
                            ("broken_file", "A file that cannot be shown as it is"),
                        ],
                        max_length=24,
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("words", models.TextField()),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="LedgerAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("funder", "Funder"),
                            ("treasury", "Treasury"),
                            ("fees", "Fees"),
                            ("owed", "Owed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "party",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger_accounts",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.programme",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Act",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("release", "Release"),
                            ("bug_report", "Bug Report"),
                            ("feedback", "Feedback"),
                            ("red_team_finding", "Red Team Finding"),
                        ],
                        max_length=24,
                    ),
                ),
                ("subject_id", models.UUIDField()),
                ("amount_micro", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("occurred_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "acceptance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.acceptance",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acts",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acts",
                        to="accounts.programme",
                    ),
                ),
                (
                    "rate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acts",
                        to="accounts.rate",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Verdict",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="verdict",
                        serialize=False,
                        to="review.case",
                    ),
                ),
                ("lease_number", models.BigIntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("approved", "Approve"),
                            ("declined", "Decline"),
                            ("changes_requested", "Ask for changes"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("remedy", models.TextField(blank=True)),
                (
                    "reversal",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("policy_misread", "The clause was misread"),
                            ("fact_wrong", "What was seen is not what is there"),
                            ("new_evidence", "The appeal showed something new"),
                        ],
                        max_length=16,
                    ),
                ),
                ("evidence", models.JSONField(default=list)),
                ("pressed_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("effective_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CharterVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("decide_within_hours", models.PositiveIntegerField()),
                ("appeal_within_hours", models.PositiveIntegerField()),
                ("appeal_open_days", models.PositiveIntegerField()),
                ("words", models.TextField(blank=True)),
                ("published_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charters",
                        to="accounts.programme",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Contribution",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("bug_report", "Bug report"),
                            ("feedback", "Feedback"),
                            ("red_team_finding", "Red-team finding"),
                        ],
                        max_length=24,
                    ),
                ),
                ("frame_from", models.PositiveIntegerField(null=True)),
                ("frame_to", models.PositiveIntegerField(null=True)),
                ("title", models.CharField(max_length=120)),
                ("words", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("filed", "Filed"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                        ],
                        default="filed",
                        max_length=12,
                    ),
                ),
                ("filed_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("triaged_at", models.DateTimeField(null=True)),
                (
                    "decline_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("duplicate", "It was reported before"),
                            ("not_reproduced", "It could not be reproduced"),
                            ("not_about_this", "It is not about this programme or its models"),
                            ("too_little", "It says too little to act on"),
                        ],
                        max_length=16,
                    ),
                ),
                ("answer", models.TextField(blank=True)),
                (
                    "clip",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="generation.clip",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="accounts.programme",
                    ),
                ),
                (
                    "rate",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.rate",
                    ),
                ),
                (
                    "triaged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CreditLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("maker", "Made by"),
                            ("writer", "Written by"),
                            ("director", "Directed by"),
                            ("editor", "Edited by"),
                            ("style", "Style by"),
                            ("composer", "Music by"),
                            ("performer", "Performed by"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "display_form",
                    models.CharField(
                        choices=[
                            ("none", "Without a name"),
                            ("pseudonym", "By my credit name"),
                            ("name", "By my name"),
                        ],
                        default="none",
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                        ],
                        default="proposed",
                        max_length=12,
                    ),
                ),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "clip",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_lines",
                        to="generation.clip",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_lines",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.programme",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "xid",
                    core.fields.XidField(db_default=core.fields.ThisTransaction(), editable=False),
                ),
                ("master_sha256", models.CharField(max_length=64)),
                ("round", models.PositiveSmallIntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("approved", "Approve"),
                            ("declined", "Decline"),
                            ("changes_requested", "Ask for changes"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("remedy", models.TextField(blank=True)),
                (
                    "reversal",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("policy_misread", "The clause was misread"),
                            ("fact_wrong", "What was seen is not what is there"),
                            ("new_evidence", "The appeal showed something new"),
                        ],
                        max_length=16,
                    ),
                ),
                ("pressed_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decision",
                        to="review.case",
                    ),
                ),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="generation.clip",
                    ),
                ),
                (
                    "clause",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="review.clause",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="accounts.programme",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="accounts.party",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Appeal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.TextField()),
                ("filed_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="generation.clip",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appeal",
                        to="review.case",
                    ),
                ),
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appeal",
                        to="review.decision",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Evidence",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("frame_from", models.PositiveIntegerField(null=True)),
                ("frame_to", models.PositiveIntegerField(null=True)),
                ("prompt_from", models.PositiveIntegerField(null=True)),
                ("prompt_to", models.PositiveIntegerField(null=True)),
                (
                    "decision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evidence",
                        to="review.decision",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LedgerBalance",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="balance",
                        serialize=False,
                        to="review.ledgeraccount",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("funder", "Funder"),
                            ("treasury", "Treasury"),
                            ("fees", "Fees"),
                            ("owed", "Owed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("balance_micro", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="LedgerTransaction",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "xid",
                    core.fields.XidField(db_default=core.fields.ThisTransaction(), editable=False),
                ),
                ("key", models.CharField(max_length=255)),
                ("payload_sha256", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("funding", "Funding"),
                            ("act", "Act"),
                            ("payout", "Payout"),
                            ("reversal", "Reversal"),
                        ],
                        max_length=12,
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=200)),
                ("posted_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "act",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transaction",
                        to="review.act",
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
                        related_name="+",
                        to="accounts.programme",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="review.ledgertransaction",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "number",
                    models.BigIntegerField(
                        db_default=review.ledger.models.NextLineNumber(), editable=False
                    ),
                ),
                ("line", models.PositiveSmallIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("amount_micro", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="review.ledgeraccount",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.programme",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="review.ledgertransaction",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("amount_micro", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("instruction_sha256", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("approved", "Approved"),
                            ("paid", "Paid"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="proposed",
                        max_length=12,
                    ),
                ),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("ended_at", models.DateTimeField(null=True)),
                ("reference", models.CharField(blank=True, max_length=140)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "paid_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="accounts.programme",
                    ),
                ),
                (
                    "transaction",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout",
                        to="review.ledgertransaction",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PayoutApproval",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("instruction_sha256", models.CharField(max_length=64)),
                ("at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "approver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to="review.payout",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "xid",
                    core.fields.XidField(db_default=core.fields.ThisTransaction(), editable=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("introduction", models.TextField()),
                ("published_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="policies",
                        to="accounts.programme",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="decision",
            name="policy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="review.policyversion",
            ),
        ),
        migrations.AddField(
            model_name="clause",
            name="policy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="clauses",
                to="review.policyversion",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="policy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="review.policyversion",
            ),
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("outcome", models.CharField(default="approved", max_length=20)),
                ("master_sha256", models.CharField(max_length=64)),
                ("title", models.CharField(max_length=120)),
                ("shows_prompt", models.BooleanField(default=False)),
                ("is_listed", models.BooleanField(default=True)),
                ("released_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "clip",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="generation.clip",
                    ),
                ),
                (
                    "credential",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.credential",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="review.decision",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="accounts.party",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="accounts.programme",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ShareLink",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=80)),
                ("digest", models.BinaryField(unique=True)),
                ("made_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links",
                        to="review.release",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Skip",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("conflict", "I know whoever made it, or took part in it"),
                            ("unsure", "I cannot judge this one"),
                            ("distressing", "I would rather not look at this"),
                            ("playback", "It does not play for me"),
                            ("break", "I have to stop here"),
                        ],
                        max_length=16,
                    ),
                ),
                ("at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="skips",
                        to="review.case",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "xid",
                    core.fields.XidField(db_default=core.fields.ThisTransaction(), editable=False),
                ),
                ("master_sha256", models.CharField(max_length=64)),
                ("frames", models.PositiveIntegerField()),
                ("recipe_sha256", models.CharField(max_length=64)),
                ("note", models.TextField(blank=True)),
                ("sealed_at", models.DateTimeField(db_default=core.clock.CoreNow())),
                (
                    "answers",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answered_by",
                        to="review.submission",
                    ),
                ),
                (
                    "charter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="review.charterversion",
                    ),
                ),
                (
                    "clip",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="generation.clip",
                    ),
                ),
                (
                    "credential",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.credential",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="accounts.party",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="review.policyversion",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="accounts.programme",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SealedPerson",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.party",
                    ),
                ),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="people",
                        to="review.submission",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="case",
            name="submission",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cases",
                to="review.submission",
            ),
        ),
        migrations.AddConstraint(
            model_name="act",
            constraint=models.UniqueConstraint(
                fields=("kind", "subject_id", "party"), name="an_act_earns_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="act",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micro__gt", 0)), name="an_act_earns_something"
            ),
        ),
        migrations.AddField(
            model_name="verdict",
            name="clause",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="review.clause",
            ),
        ),
        migrations.AddField(
            model_name="verdict",
            name="reviewer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.party"
            ),
        ),
        migrations.AddConstraint(
            model_name="charterversion",
            constraint=models.UniqueConstraint(
                fields=("programme", "number"), name="charter_versions_are_numbered"
            ),
        ),
        migrations.AddConstraint(
            model_name="charterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("appeal_open_days__gte", 1),
                    ("appeal_within_hours__gte", 1),
                    ("decide_within_hours__gte", 1),
                    ("number__gte", 1),
                ),
                name="a_charter_promises_something",
            ),
        ),
        migrations.AddIndex(
            model_name="contribution",
            index=models.Index(
                fields=["party", "-filed_at", "-id"], name="contributions_of_a_party"
            ),
        ),
        migrations.AddIndex(
            model_name="contribution",
            index=models.Index(
                condition=models.Q(("state", "filed")),
                fields=["programme", "filed_at", "id"],
                name="contributions_to_triage",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["bug_report", "feedback", "red_team_finding"])),
                name="contribution_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("title", ""), _negated=True), models.Q(("words", ""), _negated=True)
                ),
                name="a_contribution_says_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("frame_from", None), ("frame_to", None)),
                    models.Q(
                        ("clip__isnull", False),
                        ("frame_from__isnull", False),
                        ("frame_to__gte", models.F("frame_from")),
                    ),
                    _connector="OR",
                ),
                name="contribution_frames_are_of_its_clip",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("answer", ""),
                        ("decline_reason", ""),
                        ("state", "filed"),
                        ("triaged_at", None),
                        ("triaged_by", None),
                    ),
                    models.Q(
                        ("decline_reason", ""),
                        ("state", "accepted"),
                        ("triaged_at__isnull", False),
                        ("triaged_by__isnull", False),
                    ),
                    models.Q(
                        (
                            "decline_reason__in",
                            ["duplicate", "not_reproduced", "not_about_this", "too_little"],
                        ),
                        ("state", "declined"),
                        ("triaged_at__isnull", False),
                        ("triaged_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="contribution_is_triaged_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("triaged_by", None),
                    models.Q(("triaged_by", models.F("party")), _negated=True),
                    _connector="OR",
                ),
                name="nobody_triages_their_own",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditline",
            constraint=models.UniqueConstraint(
                fields=("clip", "party", "role"), name="nobody_is_credited_twice_for_the_same"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        ["maker", "writer", "director", "editor", "style", "composer", "performer"],
                    )
                ),
                name="credit_role_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditline",
            constraint=models.CheckConstraint(
                condition=models.Q(("display_form__in", ["none", "pseudonym", "name"])),
                name="display_form_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answered_at", None), ("state", "proposed")),
                    models.Q(
                        ("answered_at__isnull", False), ("state__in", ["accepted", "declined"])
                    ),
                    _connector="OR",
                ),
                name="credit_line_is_answered_by_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="appeal",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="an_appeal_says_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("frame_from__isnull", False),
                        ("frame_to__gte", models.F("frame_from")),
                        ("prompt_from", None),
                        ("prompt_to", None),
                    ),
                    models.Q(
                        ("frame_from", None),
                        ("frame_to", None),
                        ("prompt_from__isnull", False),
                        ("prompt_to__gt", models.F("prompt_from")),
                    ),
                    _connector="OR",
                ),
                name="evidence_is_frames_or_words",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerbalance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("balance_micro__gte", 0), ("kind", "treasury")),
                    models.Q(("balance_micro__lte", 0), ("kind", "owed")),
                    ("kind__in", ["funder", "fees"]),
                    _connector="OR",
                ),
                name="balance_within_its_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgeraccount",
            constraint=models.UniqueConstraint(
                fields=("programme", "kind", "party", "currency"),
                name="one_account_per_place_and_currency",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgeraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["funder", "treasury", "fees", "owed"])),
                name="account_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgeraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "owed"), ("party__isnull", False)),
                    models.Q(models.Q(("kind", "owed"), _negated=True), ("party", None)),
                    _connector="OR",
                ),
                name="what_is_owed_is_owed_to_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgertransaction",
            constraint=models.UniqueConstraint(
                fields=("programme", "key"), name="a_key_posts_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgertransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(("payload_sha256__regex", "^[0-9a-f]{64}$")),
                name="payload_digest_is_a_sha256",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgertransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["funding", "act", "payout", "reversal"])),
                name="transaction_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgertransaction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("act__isnull", False), ("kind", "act"), ("reverses", None)),
                    models.Q(("act", None), ("kind", "reversal"), ("reverses__isnull", False)),
                    models.Q(
                        ("act", None), ("kind__in", ["funding", "payout"]), ("reverses", None)
                    ),
                    _connector="OR",
                ),
                name="a_transaction_names_what_it_is_for",
            ),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["account", "number"], name="lines_of_an_account"),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.UniqueConstraint(
                fields=("transaction", "line"), name="lines_of_a_transaction_are_numbered"
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micro", 0), _negated=True),
                name="a_line_moves_something",
            ),
        ),
        migrations.AddIndex(
            model_name="payout",
            index=models.Index(fields=["programme", "-made_at", "-id"], name="payouts_by_time"),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["proposed", "approved", "paid", "cancelled"])),
                name="payout_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micro__gt", 0)), name="a_payout_pays_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["proposed", "approved"])),
                fields=("programme", "party", "currency"),
                name="one_open_payout_per_party",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(("made_by", models.F("party")), _negated=True),
                name="nobody_proposes_their_own_payout",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("paid_by", None),
                    models.Q(("paid_by", models.F("party")), _negated=True),
                    _connector="OR",
                ),
                name="nobody_pays_themselves",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("ended_at__isnull", False),
                        ("paid_by__isnull", False),
                        ("state", "paid"),
                        ("transaction__isnull", False),
                        models.Q(("reference", ""), _negated=True),
                    ),
                    models.Q(
                        ("ended_at__isnull", False),
                        ("paid_by", None),
                        ("reference", ""),
                        ("state", "cancelled"),
                        ("transaction", None),
                    ),
                    models.Q(
                        ("ended_at", None),
                        ("paid_by", None),
                        ("reference", ""),
                        ("state__in", ["proposed", "approved"]),
                        ("transaction", None),
                    ),
                    _connector="OR",
                ),
                name="a_payout_is_posted_iff_paid",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutapproval",
            constraint=models.UniqueConstraint(
                fields=("payout", "approver"), name="one_approval_each"
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutapproval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approver", models.F("made_by")), _negated=True),
                    models.Q(("approver", models.F("party")), _negated=True),
                ),
                name="a_payout_is_approved_by_a_second_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.UniqueConstraint(
                fields=("programme", "number"), name="policy_versions_are_numbered"
            ),
        ),
        migrations.AddConstraint(
            model_name="policyversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="policy_number_starts_at_one"
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["programme", "decided_at"], name="decisions_by_time"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["approved", "declined", "changes_requested"])),
                name="outcome_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(("reviewer", models.F("owner")), _negated=True),
                name="nobody_decides_on_their_own_work",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                fields=("chain", "reviewer"), name="nobody_decides_twice_in_a_chain"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("round", 1), ("outcome__in", ["approved", "declined"]), _connector="OR"
                ),
                name="an_appeal_is_upheld_or_overturned",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("outcome", "approved"),
                        ("reversal__in", ["policy_misread", "fact_wrong", "new_evidence"]),
                        ("round", 2),
                    ),
                    models.Q(
                        models.Q(("outcome", "approved"), ("round", 2), _negated=True),
                        ("reversal", ""),
                    ),
                    _connector="OR",
                ),
                name="an_overturned_decision_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("outcome", "changes_requested"), models.Q(("remedy", ""), _negated=True)
                    ),
                    models.Q(
                        models.Q(("outcome", "changes_requested"), _negated=True), ("remedy", "")
                    ),
                    _connector="OR",
                ),
                name="changes_come_with_a_remedy",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "decided_at__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("pressed_at"),
                            "+",
                            models.Value(datetime.timedelta(seconds=10)),
                        ),
                    )
                ),
                name="a_decision_waited_ten_seconds",
            ),
        ),
        migrations.AddConstraint(
            model_name="clause",
            constraint=models.UniqueConstraint(
                fields=("policy", "number"), name="clauses_of_a_policy_are_numbered"
            ),
        ),
        migrations.AddConstraint(
            model_name="clause",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "ground__in",
                        [
                            "real_person",
                            "minor",
                            "sexual",
                            "violence",
                            "hate",
                            "private_detail",
                            "others_work",
                            "deception",
                            "unlawful",
                            "broken_file",
                        ],
                    )
                ),
                name="ground_is_known",
            ),
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(
                condition=models.Q(("ended_at", None), ("is_listed", True)),
                fields=["-released_at", "-id"],
                name="releases_on_the_showcase",
            ),
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(fields=["owner", "-released_at"], name="releases_of_a_party"),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome", "approved")),
                name="only_what_was_approved_is_released",
            ),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(("title", ""), _negated=True), name="a_release_has_a_title"
            ),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("clip",),
                name="one_live_release_per_clip",
            ),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at", None), ("ended_at__gte", models.F("released_at")), _connector="OR"
                ),
                name="a_release_ends_after_it_began",
            ),
        ),
        migrations.AddIndex(
            model_name="skip",
            index=models.Index(fields=["case", "reviewer"], name="skips_of_a_case"),
        ),
        migrations.AddConstraint(
            model_name="skip",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("why__in", ["conflict", "unsure", "distressing", "playback", "break"])
                ),
                name="a_skip_has_a_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(
                fields=["owner", "-sealed_at", "-id"], name="submissions_of_a_party"
            ),
        ),
        migrations.AddConstraint(
            model_name="sealedperson",
            constraint=models.UniqueConstraint(
                fields=("submission", "party"), name="a_person_is_sealed_once"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "claimed"])),
                fields=["programme", "owner", "-fair_end"],
                name="cases_open_by_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("state", "claimed")),
                fields=["lease_until"],
                name="cases_leased",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("escalated_at", None), ("state__in", ["queued", "claimed"])),
                fields=["due_at"],
                name="cases_not_yet_escalated",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["chain", "round"], name="cases_of_a_chain"),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "queued",
                            "claimed",
                            "approved",
                            "declined",
                            "changes_requested",
                            "withdrawn",
                        ],
                    )
                ),
                name="case_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "release"), ("round", 1)),
                    models.Q(("kind", "appeal"), ("round", 2)),
                    _connector="OR",
                ),
                name="an_appeal_is_the_second_round",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                fields=("submission", "round"), name="one_case_per_round_of_a_submission"
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["queued", "claimed"])),
                fields=("programme", "owner", "master_sha256"),
                name="one_open_case_per_master",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("lease_by__isnull", False),
                        ("lease_slot__isnull", False),
                        ("lease_until__isnull", False),
                        ("state", "claimed"),
                    ),
                    models.Q(
                        models.Q(("state", "claimed"), _negated=True),
                        ("lease_by", None),
                        ("lease_slot", None),
                        ("lease_until", None),
                    ),
                    _connector="OR",
                ),
                name="case_is_leased_iff_claimed",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("lease_by", None),
                    models.Q(("lease_by", models.F("owner")), _negated=True),
                    _connector="OR",
                ),
                name="nobody_leases_their_own_work",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("lease_slot", None),
                    models.Q(("lease_slot__gte", 1), ("lease_slot__lte", 3)),
                    _connector="OR",
                ),
                name="three_leases_at_most",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "claimed")),
                fields=("lease_by", "lease_slot"),
                name="a_reviewers_leases_are_counted",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("state__in", ["queued", "claimed"])),
                    models.Q(
                        models.Q(("state__in", ["queued", "claimed"]), _negated=True),
                        ("closed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="case_has_an_end_iff_closed",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("fair_end__gt", models.F("fair_tag"))),
                name="case_takes_a_stretch_of_virtual_time",
            ),
        ),
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(fields=["effective_at"], name="verdicts_by_effect"),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["approved", "declined", "changes_requested"])),
                name="verdict_outcome_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "effective_at__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("pressed_at"),
                            "+",
                            models.Value(datetime.timedelta(seconds=10)),
                        ),
                    )
                ),
                name="a_verdict_can_be_taken_back_for_ten_seconds",
            ),
        ),
    ]
