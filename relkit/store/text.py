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


def md5_64(sql: str) -> str:
    """Write the SQL of the first half of a text's MD5 as a number: `md5_number_upper` without its detour over texts of bits.

    >>> md5_64("line").startswith("CAST(md5_number(line)")
    True
    """
    return f"CAST(md5_number({sql}) & 18446744073709551615::UHUGEINT AS UBIGINT)"
