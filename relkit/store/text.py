"""Names and texts written as SQL."""


def identifier(name: str) -> str:
    """Write a name as an SQL identifier.

    >>> print(identifier('a "b'))
    "a ""b"
    """
    return '"' + name.replace('"', '""') + '"'


def quoted(text: str) -> str:
    """Write a text as an SQL literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
