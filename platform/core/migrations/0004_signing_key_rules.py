from core.sql.operations import append_only
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0003_signing_keys")]
    operations = [
        append_only("core_signingkey"),
        migrations.RunSQL(
            # A reader goes by the transaction: a made-up number would hide a row from it.
            """
            CREATE FUNCTION core_names_its_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.xid IS DISTINCT FROM pg_current_xact_id() THEN
                    RAISE EXCEPTION 'a row names the transaction that writes it'
                        USING ERRCODE = 'restrict_violation',
                              CONSTRAINT = 'no_row_names_another_transaction';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER names_its_transaction BEFORE INSERT ON core_auditevent
                FOR EACH ROW EXECUTE FUNCTION core_names_its_transaction();
            CREATE TRIGGER names_its_transaction BEFORE INSERT ON core_outboxmessage
                FOR EACH ROW EXECUTE FUNCTION core_names_its_transaction();
            """,
            """
            DROP TRIGGER names_its_transaction ON core_auditevent;
            DROP TRIGGER names_its_transaction ON core_outboxmessage;
            DROP FUNCTION core_names_its_transaction;
            """,
        ),
    ]
