"""What pydantic finds wrong, in the words of someone who writes a YAML file."""

from __future__ import annotations

from typing import Any

from haptos.errors import nearest

__all__ = ["plain_words"]

_BOUNDS = {
    "greater_than": ("gt", "must be more than {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be at most {}"),
}
_PATTERNS = {r"^[A-Za-z0-9][\w.-]*$": "MINE-01: letters, digits, dashes, dots, no spaces"}
_EXPECTED = {
    "tuple_type": ("a list", "write '[]' for an empty one, or lines that start with '- '"),
    "list_type": ("a list", "write '[]' for an empty one, or lines that start with '- '"),
    "dict_type": ("a block of 'key: value' lines", ""),
    "model_type": ("a block of 'key: value' lines", ""),
    "model_attributes_type": ("a block of 'key: value' lines", ""),
    "string_type": ("text", "put it in quotes if it looks like a number"),
    "int_type": ("a whole number", ""),
    "int_parsing": ("a whole number", ""),
    "int_from_float": ("a whole number", ""),
    "float_type": ("a number", ""),
    "float_parsing": ("a number", ""),
    "bool_type": ("true or false", ""),
    "bool_parsing": ("true or false", ""),
}


def plain_words(error: dict[str, Any]) -> tuple[str, str, str]:
    """Return message, what is allowed, and what to try for one error of a ValidationError.

    Examples
    --------
    >>> plain_words({"type": "greater_than_equal", "ctx": {"ge": 2}, "input": 1, "msg": ""})
    ('1 must be at least 2', '', '')
    """
    kind, context, given = error["type"], error.get("ctx", {}), error.get("input")
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{_short(given)} {words.format(context[key])}", "", ""
    if kind in _EXPECTED:
        what, hint = _EXPECTED[kind]
        hint = f"write [{given}]" if what == "a list" and isinstance(given, str) and given else hint
        return f"{_short(given)} stands where {what} is expected", "", hint
    if kind == "string_pattern_mismatch":
        return f"{_short(given)} has not the form that is asked for here", f"text like {_sample(context)}", ""
    if kind == "too_short":
        least = context.get("min_length", 1)
        return f"at least {'one entry' if least == 1 else f'{least} entries'} must stand here", "", ""
    if kind == "too_long":
        return f"{context.get('actual_length')} entries are too many", f"at most {context.get('max_length')}", ""
    if kind == "literal_error":
        names = [n.strip(" '") for n in str(context["expected"]).replace(" or ", ", ").split(",")]
        near = nearest(str(given), names)
        return f"{_short(given)} is not known here", ", ".join(names), f"did you mean {near[0]!r}?" if near else ""
    return str(error["msg"]), str(context.get("allowed", "")), str(context.get("hint", ""))


def _sample(context: dict[str, Any]) -> str:
    """Return the pattern of a name, in words where it is a common one."""
    pattern = str(context.get("pattern", ""))
    return _PATTERNS.get(pattern, pattern)


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a block of 'key: value' lines"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
