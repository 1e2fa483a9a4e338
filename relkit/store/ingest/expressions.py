"""The small language of a mapping's expressions, compiled to SQL.

An expression is written like Python and may use nothing but what is listed here: columns of the log by name
(`column("odd name")` where the name is no word), texts, numbers, True, False, None, the comparisons
`== != < <= > >= in`, `is None`, `and or not`, `+ - * /`, `a if test else b`, and the functions of `FUNCTIONS`.
In the `[pair]` section `end.NAME` reads a column of the ending line. Everything else is refused by name, so a
mapping can be shared without being trusted.
"""

import ast
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from relkit.exceptions import DataError
from relkit.store.text import quoted

LONGEST: Final = 2_000
Kind = Literal["text", "number", "boolean", "null"]
ColumnRef = Callable[[str], str]

FUNCTIONS: Final[dict[str, tuple[str, tuple[Kind, ...], Kind]]] = {
    "lower": ("lower({0})", ("text",), "text"),
    "upper": ("upper({0})", ("text",), "text"),
    "trim": ("trim({0})", ("text",), "text"),
    "length": ("length({0})", ("text",), "number"),
    "number": ("TRY_CAST({0} AS DOUBLE)", ("text",), "number"),
    "text": ("CAST({0} AS VARCHAR)", ("text",), "text"),
    "contains": ("contains({0}, {1})", ("text", "text"), "boolean"),
    "starts_with": ("starts_with({0}, {1})", ("text", "text"), "boolean"),
    "ends_with": ("ends_with({0}, {1})", ("text", "text"), "boolean"),
    "matches": ("regexp_matches({0}, {1})", ("text", "text"), "boolean"),
    "extract": ("regexp_extract({0}, {1}, 1)", ("text", "text"), "text"),
    "replace": ("replace({0}, {1}, {2})", ("text", "text", "text"), "text"),
    "concat": ("concat({0}, {1})", ("text", "text"), "text"),
    "split": ("split_part({0}, {1}, TRY_CAST({2} AS INTEGER))", ("text", "text", "number"), "text"),
}

_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "=",
    ast.NotEq: "<>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


class Compiled(NamedTuple):
    """An expression as SQL text and the kind of value it gives."""

    sql: str
    kind: Kind


def compile_expression(text: str, column: ColumnRef, end_column: ColumnRef | None = None) -> Compiled:
    """Compile one expression to SQL.

    Parameters
    ----------
    text : str
        The expression, see the module's text.
    column, end_column : function of a column name to SQL
        How a column of the line (and of the ending line of a pair) is read; they raise DataError for an absent one.

    Returns
    -------
    Compiled
        SQL text and kind of value.

    Raises
    ------
    DataError
        The text does not parse or uses something outside the list.

    Examples
    --------
    >>> compile_expression("status < 400 and method == 'GET'", lambda name: f'"{name}"').sql
    '((TRY_CAST("status" AS DOUBLE) < 400::DOUBLE) AND ("method" = \\'GET\\'))'
    """
    if len(text) > LONGEST:
        raise DataError(f"expression {text[:60]!r}... has {len(text):,} characters; at most {LONGEST:,} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _Compiler(text, column, end_column).visit(tree.body)
    except (SyntaxError, ValueError) as error:
        raise DataError(f"expression {text!r} does not parse: {error}; see docs/ingest.md for the language") from None
    except (RecursionError, MemoryError):
        raise DataError(f"expression {text[:60]!r}... is nested too deeply; split it") from None


class _Compiler:
    def __init__(self, text: str, column: ColumnRef, end_column: ColumnRef | None) -> None:
        self.text = text
        self.column = column
        self.end_column = end_column

    def visit(self, node: ast.expr) -> Compiled:
        handler = getattr(self, f"_{type(node).__name__.lower()}", None)
        if handler is None:
            raise self._refused(type(node).__name__)
        compiled: Compiled = handler(node)
        return compiled

    def _refused(self, what: str) -> DataError:
        allowed = ", ".join(sorted(FUNCTIONS))
        return DataError(
            f"expression {self.text!r} uses {what}, which is not in the safe list; allowed are columns, texts, numbers, "
            f"comparisons, and/or/not, + - * /, `a if test else b` and {allowed}"
        )

    def _name(self, node: ast.Name) -> Compiled:
        return Compiled(self.column(node.id), "text")

    def _attribute(self, node: ast.Attribute) -> Compiled:
        if self.end_column and isinstance(node.value, ast.Name) and node.value.id == "end":
            return Compiled(self.end_column(node.attr), "text")
        raise self._refused(f".{node.attr}")

    def _constant(self, node: ast.Constant) -> Compiled:
        value = node.value
        if value is None:
            return Compiled("NULL", "null")
        if isinstance(value, bool):
            return Compiled("TRUE" if value else "FALSE", "boolean")
        if isinstance(value, (int, float)) and abs(value) < 1e300:
            # DOUBLE, as columns are read: whole numbers would overflow, decimals round in another way
            return Compiled(f"{value!r}::DOUBLE", "number")
        if isinstance(value, str):
            if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
                raise self._refused("a text with characters that no UTF-8 text holds")
            return Compiled(quoted(value), "text")
        raise self._refused(repr(value))

    def _boolop(self, node: ast.BoolOp) -> Compiled:
        word = " AND " if isinstance(node.op, ast.And) else " OR "
        return Compiled("(" + word.join(self._truth(value) for value in node.values) + ")", "boolean")

    def _unaryop(self, node: ast.UnaryOp) -> Compiled:
        if isinstance(node.op, ast.Not):
            return Compiled(f"(NOT {self._truth(node.operand)})", "boolean")
        if isinstance(node.op, ast.USub):
            return Compiled(f"(-{self._number(self.visit(node.operand))})", "number")
        raise self._refused(type(node.op).__name__)

    def _binop(self, node: ast.BinOp) -> Compiled:
        sign = _ARITHMETIC.get(type(node.op))
        if sign is None:
            raise self._refused(type(node.op).__name__)
        left, right = self._number(self.visit(node.left)), self._number(self.visit(node.right))
        return Compiled(f"({left} {sign} {right})", "number")

    def _ifexp(self, node: ast.IfExp) -> Compiled:
        yes, no = self.visit(node.body), self.visit(node.orelse)
        kinds = {yes.kind, no.kind} - {"null"}
        kind: Kind = kinds.pop() if len(kinds) == 1 else "text"
        if kinds:  # two kinds left: only text holds both
            yes, no = Compiled(self._text(yes), "text"), Compiled(self._text(no), "text")
        return Compiled(f"(CASE WHEN {self._truth(node.test)} THEN {yes.sql} ELSE {no.sql} END)", kind)

    def _compare(self, node: ast.Compare) -> Compiled:
        parts = []
        left_node = node.left
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            parts.append(self._one_comparison(left_node, operator, right_node))
            left_node = right_node
        return Compiled("(" + " AND ".join(parts) + ")" if len(parts) > 1 else parts[0], "boolean")

    def _one_comparison(self, left_node: ast.expr, operator: ast.cmpop, right_node: ast.expr) -> str:
        left = self.visit(left_node)
        if isinstance(operator, (ast.In, ast.NotIn)):
            if not isinstance(right_node, (ast.Tuple, ast.List)) or not right_node.elts:
                raise self._refused("`in` without a list")
            members = [self.visit(element) for element in right_node.elts]
            as_kind = self._number if any(member.kind == "number" for member in members) else self._text
            inside = f"{as_kind(left)} IN ({', '.join(as_kind(member) for member in members)})"
            return (
                f"(NOT coalesce({inside}, FALSE))" if isinstance(operator, ast.NotIn) else f"coalesce({inside}, FALSE)"
            )
        right = self.visit(right_node)
        if isinstance(operator, (ast.Is, ast.IsNot)):
            if right.kind != "null":
                raise self._refused("`is` with something else than None")
            return f"({left.sql} IS {'NOT ' if isinstance(operator, ast.IsNot) else ''}NULL)"
        sign = _COMPARISONS.get(type(operator))
        if sign is None:
            raise self._refused(type(operator).__name__)
        kinds = {left.kind, right.kind}
        if "null" in kinds:
            raise self._refused("a comparison with None, which is never true; write `is None`")
        as_kind = self._number if "number" in kinds else self._boolean if "boolean" in kinds else self._text
        return f"({as_kind(left)} {sign} {as_kind(right)})"

    def _call(self, node: ast.Call) -> Compiled:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self._refused("a call of something else than a listed function")
        name = node.func.id
        if name == "column":
            if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                return Compiled(self.column(node.args[0].value), "text")
            raise self._refused("column() without one name in quotes")
        if name == "coalesce" and node.args:
            values = [self.visit(value) for value in node.args]
            return Compiled(f"coalesce({', '.join(self._text(value) for value in values)})", "text")
        if name not in FUNCTIONS:
            raise self._refused(f"{name}()")
        template, kinds, gives = FUNCTIONS[name]
        if len(node.args) != len(kinds):
            raise self._refused(f"{name}() with {len(node.args)} arguments, it takes {len(kinds)}")
        arguments = [
            self._number(value) if kind == "number" else self._text(value)
            for value, kind in zip((self.visit(argument) for argument in node.args), kinds, strict=True)
        ]
        return Compiled(template.format(*arguments), gives)

    def _truth(self, node: ast.expr) -> str:
        compiled = self.visit(node)
        if compiled.kind == "boolean":
            return compiled.sql
        raise self._refused("a value where a yes or no is needed; compare it with something")

    @staticmethod
    def _number(compiled: Compiled) -> str:
        return compiled.sql if compiled.kind in {"number", "null"} else f"TRY_CAST({compiled.sql} AS DOUBLE)"

    @staticmethod
    def _text(compiled: Compiled) -> str:
        return compiled.sql if compiled.kind == "text" else f"CAST({compiled.sql} AS VARCHAR)"

    @staticmethod
    def _boolean(compiled: Compiled) -> str:
        return compiled.sql if compiled.kind == "boolean" else f"TRY_CAST({compiled.sql} AS BOOLEAN)"
