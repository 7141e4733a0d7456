"""One clock: ``core_now()``. In our own Python, SQL and templates nothing else tells the time.

Third parties (allauth, TOTP, signed links) keep the machine's clock; no rule of ours reads it.
"""

from __future__ import annotations

import ast
import re

from house.source import files, modules, shown, texts

from greenroom.checkout import CHECKOUT

PRODUCTION = """\
CREATE OR REPLACE FUNCTION public.core_now()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ SELECT now() $function$
"""

# Where the machine's own clock is meant, and why.
MACHINE = {
    "platform/core/ids.py": {
        "time_ns"
    },  # an id carries the machine's milliseconds, as RFC 9562 says
    "platform/greenroom/broker.py": {"time", "time_ns"},  # ages of files in the spool
    "platform/greenroom/logs.py": {"fromtimestamp"},  # a log line has the moment of its writing
}
FORBIDDEN = {
    "now": {"timezone", "datetime"},
    "utcnow": {"datetime"},
    "today": {"date", "datetime"},
    "localtime": {"timezone", "time"},
    "gmtime": {"time"},
    "time": {"time"},
    "time_ns": {"time"},
    "fromtimestamp": {"datetime", "date"},
}
SQL_CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(\s*\)"
    r"|\b(current_timestamp|current_date|current_time|localtimestamp|localtime)\b",
    re.IGNORECASE,
)
SQL_ALLOWED = {"core_now", "core_new_id"}


def test_the_clock_of_production_is_the_transactions_own(database):
    (kept,) = database.superuser.execute("SELECT core_now FROM test.production").fetchone()
    assert kept == PRODUCTION


def test_no_python_of_ours_reads_another_clock():
    found = [
        f"{shown(path)}:{node.lineno} {node.value.id}.{node.attr}"
        for path, module in modules(with_migrations=True)
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in FORBIDDEN.get(node.attr, set())
        and node.attr not in MACHINE.get(shown(path), set())
    ]
    assert found == []


def test_no_model_lets_django_tell_the_time():
    found = [
        f"{shown(path)}:{node.lineno}"
        for path, module in modules(with_migrations=True)
        for node in ast.walk(module)
        if (isinstance(node, ast.keyword) and node.arg in {"auto_now", "auto_now_add"})
        or (isinstance(node, ast.alias) and node.name == "Now")
    ]
    assert found == []


def test_no_sql_in_our_source_reads_another_clock():
    found = [
        f"{shown(path)}: {text[:80]!r}"
        for path, module in modules(with_migrations=True)
        for text in texts(module)
        if SQL_CLOCK.search(text) and re.search(r"\b(SELECT|UPDATE|INSERT|DELETE|CHECK)\b", text)
    ]
    assert found == []


def test_no_function_default_or_constraint_in_the_database_reads_another_clock(database):
    sources = database.superuser.execute(
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " UNION ALL SELECT adrelid::regclass::text, pg_get_expr(adbin, adrelid) FROM pg_attrdef"
        " UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    ).fetchall()
    found = [
        name
        for name, source in sources
        if name not in SQL_ALLOWED and SQL_CLOCK.search(source) and not name.startswith("test.")
    ]
    assert found == []


def test_no_constraint_and_no_index_asks_the_clock_at_all(database):
    """A CHECK would be asked again at any later UPDATE, and an index predicate only once."""
    found = database.superuser.execute(
        "SELECT conname FROM pg_constraint WHERE pg_get_constraintdef(oid) LIKE '%core_now%'"
        " UNION ALL SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%core_now%'"
    ).fetchall()
    assert found == []


def test_no_template_reads_the_clock():
    found = [
        shown(path)
        for path in files("*.html", shelves=("templates",))
        if re.search(r"{%\s*now\b", path.read_text())
    ]
    assert found == []
    assert (CHECKOUT / "templates").is_dir()
