"""What the embedded database can refuse. The message is a sentence for a person."""


class EmbeddedError(RuntimeError):
    pass


class NoBinaries(EmbeddedError):
    """There is no PostgreSQL on this machine that we may run."""


class VersionMismatch(EmbeddedError):
    """The data folder was made by another major version."""


class RolesRefused(EmbeddedError):
    """The given roles cannot serve as owner and application."""
