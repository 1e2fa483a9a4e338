"""The one tree of errors that relkit raises on purpose.

Each text says what is wrong, where, and what to do. Anything outside this tree is a bug of ours.
"""


class RelkitError(Exception):
    """Base of every error relkit raises on purpose."""


class ParameterError(RelkitError):
    """A setting, command-line word or notebook parameter is not acceptable."""

    @classmethod
    def of(cls, name: str, got: object, allowed: str, remedy: str) -> "ParameterError":
        """Say which parameter, what came, what is allowed and what to do.

        >>> str(ParameterError.of("level", 2.0, "0 < level < 1", "pass a share such as 0.95"))
        'level = 2.0 is not acceptable: allowed is 0 < level < 1; pass a share such as 0.95'
        """
        return cls(f"{name} = {got!r} is not acceptable: allowed is {allowed}; {remedy}")


class DataError(RelkitError):
    """A log, mapping or table does not hold what it must."""


class StoreError(RelkitError):
    """The database cannot be opened, is locked, or has another schema."""


class StoreLockedError(StoreError):
    """Somebody else holds the database; it can be opened later."""


class ReportError(RelkitError):
    """A page could not be made, so none was published."""
