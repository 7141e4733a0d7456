"""Engines by name, found through the entry points ``greenroom.engines`` of what is installed."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from importlib.util import find_spec

from generation.engines.protocol import Engine

GROUP = "greenroom.engines"
_COMPLETE: set[str] = set()
"""Packages found whole. What is missing is looked for again, for it may be being installed."""


class EngineUnknown(LookupError):
    code = "engine_unknown"

    def __init__(self, name: str) -> None:
        super().__init__(f"no engine is called {name!r}")
        self.name = name


class EngineNotInstalled(RuntimeError):
    """The engine is known, but packages it needs are not here, or not here yet."""

    code = "engine_not_installed"

    def __init__(self, name: str, missing: tuple[str, ...]) -> None:
        super().__init__(f"engine {name!r} needs {', '.join(missing)}")
        self.name = name
        self.missing = missing


def engine_names() -> tuple[str, ...]:
    """Every engine somebody declared, installed or not, in alphabetical order."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def is_installed(name: str) -> bool:
    """Whether ``engine(name)`` would serve. Imports none of the engine's heavy packages."""
    return not missing_packages(name)


def missing_packages(name: str) -> tuple[str, ...]:
    """What the engine needs and this environment lacks. ``EngineUnknown``."""
    needed: tuple[str, ...] = _engine_class(name).packages
    return tuple(package for package in needed if not _is_complete(package))


def engine(name: str) -> Engine:
    """A new, unloaded engine; keep it, since the model stays resident in it.

    Raises ``EngineUnknown`` and ``EngineNotInstalled``.
    """
    missing = missing_packages(name)
    if missing:
        raise EngineNotInstalled(name, missing)
    return _engine_class(name)()


@cache  # reading what every installed package declares takes milliseconds, and submits ask
def _engine_class(name: str) -> type[Engine]:
    points = [point for point in entry_points(group=GROUP) if point.name == name]
    if not points:
        raise EngineUnknown(name)
    return _loaded(points[0])


def _loaded(point: EntryPoint) -> type[Engine]:
    found: type[Engine] = point.load()
    return found


def _is_complete(package: str) -> bool:
    """Set-up installs torch while the web already answers: a package half unpacked is not there.

    Installers write INSTALLER after the last file, so its presence says that nothing is missing.
    """
    if package not in _COMPLETE and _looks_complete(package):
        _COMPLETE.add(package)
    return package in _COMPLETE


def _looks_complete(package: str) -> bool:
    if find_spec(package) is None:
        return False
    try:
        return distribution(package).read_text("INSTALLER") is not None
    except PackageNotFoundError:
        return True  # importable under another distribution's name, or from a source folder
