"""Migration operations for tables whose rows are only ever added."""

from __future__ import annotations

from django.db.migrations import RunSQL


def append_only(table: str) -> RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE on ``table``, for the owner too while triggers are on."""
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
        CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
        """,
        f"""
        DROP TRIGGER {table}_is_append_only ON {table};
        DROP TRIGGER {table}_is_never_emptied ON {table};
        """,
    )


def never_deleted(table: str) -> RunSQL:
    """Rows of ``table`` change by their own rules but never vanish."""
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_is_never_deleted BEFORE DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
        CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
        """,
        f"""
        DROP TRIGGER {table}_is_never_deleted ON {table};
        DROP TRIGGER {table}_is_never_emptied ON {table};
        """,
    )


def grant(statement: str) -> RunSQL:
    """A GRANT to the application role, where that role exists.

    The role's name is the operator's choice; it is read from the setting that ``db roles`` wrote
    into the database, so a migration never knows it.
    """
    return RunSQL(f"SELECT core_grant($grant${statement}$grant$)", RunSQL.noop)
