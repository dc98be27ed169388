"""Partial answers: the `fields` parameter.

Source: "Performance tips" (Calendar API guide): comma-separated paths, `a/b` for nested fields, `a(b,c)` for several,
`*` for all. A name the resource does not have is refused by Google; here it selects nothing (assumed simplification).
"""

from typing import Any

from meetings.adapters.google.simulator.errors import invalid_parameter

Selection = dict[str, Any]


def select(value: Any, mask: str) -> Any:
    """`value` with only what `mask` names. Raises GoogleError 400 for a mask that cannot be read."""
    selection, rest = _parse(mask)
    if rest:
        raise invalid_parameter(f"Invalid field selection {mask}", "fields")
    return _apply(value, selection)


def _parse(mask: str) -> tuple[Selection, str]:
    """Reads up to a closing bracket or the end; gives the selection and what is left."""
    selection: Selection = {}
    while True:
        name, mask = _name(mask)
        inner: Selection = {}
        if mask.startswith("/"):
            inner, mask = _path(mask[1:])
        elif mask.startswith("("):
            inner, mask = _brackets(mask)
        selection.setdefault(name, {}).update(inner)
        if not mask.startswith(","):
            return selection, mask
        mask = mask[1:]


def _path(mask: str) -> tuple[Selection, str]:
    name, mask = _name(mask)
    inner: Selection = {}
    if mask.startswith("/"):
        inner, mask = _path(mask[1:])
    elif mask.startswith("("):
        inner, mask = _brackets(mask)
    return {name: inner}, mask


def _brackets(mask: str) -> tuple[Selection, str]:
    inner, rest = _parse(mask[1:])
    if not rest.startswith(")"):
        raise invalid_parameter("Invalid field selection", "fields")
    return inner, rest[1:]


def _name(mask: str) -> tuple[str, str]:
    length = next((at for at, sign in enumerate(mask) if sign in ",/()"), len(mask))
    if length == 0:
        raise invalid_parameter("Invalid field selection", "fields")
    return mask[:length].strip(), mask[length:]


def _apply(value: Any, selection: Selection) -> Any:
    if not selection or "*" in selection:
        return value
    if isinstance(value, list):
        return [_apply(item, selection) for item in value]
    if isinstance(value, dict):
        return {name: _apply(value[name], inner) for name, inner in selection.items() if name in value}
    return value
