"""The owner role, which migrates, and the application role, which owns nothing.

psycopg is imported inside the functions: finding out where the database is must not need it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .errors import EmbeddedError, RolesRefused

if TYPE_CHECKING:
    from psycopg import Connection

SUPERUSER = "postgres"
OWNER = "greenroom_owner"
APP = "greenroom_app"
DATABASE = "greenroom"


def ensure_database(url: Callable[[str], str], passwords: Mapping[str, str], name: str) -> None:
    """In our own cluster: both roles, the owner's database `name`, and the privileges in it.

    `url(database)` is the superuser's. Databases carry their own default privileges, and copies
    of one (CREATE DATABASE … TEMPLATE) carry the original's.
    """
    with connected(url("postgres")) as admin:
        for role in (OWNER, APP):
            _ensure_role(admin, role, passwords[role])
        _ensure_database(admin, name)
    with connected(url(name)) as admin:
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        grant_to_application(admin, owner=OWNER, app=APP)


def ensure_roles(owner_url: str, app_url: str) -> None:
    """On an operator's own server, as its owner. RolesRefused says what to do about it."""
    from psycopg.conninfo import conninfo_to_dict

    app = str(conninfo_to_dict(app_url).get("user") or "")
    with connected(owner_url) as owner:
        _check_owner(owner, app)
        grant_to_application(owner, owner=owner.info.user, app=app)


def ensure_application_role(owner_url: str, app_url: str) -> None:
    """Make the role of `app_url` with its password, where the owner may make roles.

    Raises RolesRefused where it may not, or where a role of that name has another password.
    """
    from psycopg.conninfo import conninfo_to_dict

    wanted = conninfo_to_dict(app_url)
    app, password = str(wanted["user"]), str(wanted["password"])
    with connected(owner_url) as owner:
        if not _may_make_roles(owner):
            raise RolesRefused(
                f"The role {owner.info.user} of DATABASE_URL may not make roles, so Greenroom "
                "cannot make its application role. Set DATABASE_OWNER_URL to the role that owns "
                "the tables, and DATABASE_URL to a second role that owns nothing."
            )
        if not _exists(owner, app):
            _ensure_role(owner, app, password)
            return
    try:
        connected(app_url).close()
    except EmbeddedError:
        raise RolesRefused(
            f"The role {app} already exists on this server with another password. Set "
            "DATABASE_URL to the application's role and DATABASE_OWNER_URL to the role that owns "
            "the tables."
        ) from None


def grant_to_application(connection: Connection, owner: str, app: str) -> None:
    """The application may read and add to what the owner makes from now on, no more.

    UPDATE by column and DELETE by table are granted by the migration that makes the table.
    """
    from psycopg import sql

    names = {"owner": sql.Identifier(owner), "app": sql.Identifier(app)}
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {app}").format(**names))
    for privileges in (
        "SELECT, INSERT ON TABLES",
        "USAGE, SELECT ON SEQUENCES",
        "EXECUTE ON FUNCTIONS",
    ):
        connection.execute(
            sql.SQL(
                "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public "
                "GRANT " + privileges + " TO {app}"
            ).format(**names)
        )


def connected(url: str) -> Connection:
    """An autocommit connection. Raises EmbeddedError in plain words where the server says no."""
    import psycopg

    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise EmbeddedError(f"The database refused the connection: {error}".strip()) from error


def _ensure_role(admin: Connection, role: str, password: str) -> None:
    from psycopg import sql

    if _exists(admin, role):
        return
    # Only the verifier travels, so that no server log holds the password.
    verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    admin.execute(
        sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(verifier.decode())
        )
    )


def _ensure_database(admin: Connection, name: str) -> None:
    from psycopg import sql

    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    statements = (
        "CREATE DATABASE {name} OWNER {owner} TEMPLATE template0",
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {name} TO {app}",
    )
    names = {
        "name": sql.Identifier(name),
        "owner": sql.Identifier(OWNER),
        "app": sql.Identifier(APP),
    }
    for statement in statements:
        admin.execute(sql.SQL(statement).format(**names))


def _exists(connection: Connection, role: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone())


def _may_make_roles(owner: Connection) -> bool:
    row = owner.execute(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    return bool(row and row[0])


def _check_owner(owner: Connection, app: str) -> None:
    me = owner.info.user
    if not app or app == me:
        raise RolesRefused(
            f"DATABASE_URL and DATABASE_OWNER_URL both name the role {me}. The application must "
            "run as a second role that owns nothing, or it could lift the rules of its tables."
        )
    row = owner.execute(
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole "
        "OR pg_has_role(rolname, current_user, 'MEMBER') FROM pg_roles WHERE rolname = %s",
        [app],
    ).fetchone()
    if row is None:
        raise RolesRefused(
            f"There is no role {app} on this server. Make it: CREATE ROLE {app} LOGIN PASSWORD '…';"
        )
    if row[0]:
        raise RolesRefused(
            f"The role {app} of DATABASE_URL may do too much (superuser, makes databases or roles, "
            f"or acts as {me}). Give the application a role that owns nothing."
        )
    able = owner.execute("SELECT has_schema_privilege(current_user, 'public', 'CREATE')").fetchone()
    if not (able and able[0]):
        raise RolesRefused(
            f"The role {me} may not make tables here. Let it own the database, or as superuser: "
            f"GRANT CREATE ON SCHEMA public TO {me};"
        )
