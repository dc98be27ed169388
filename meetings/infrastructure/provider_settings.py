"""What can be set about each calendar provider: `MEETINGS_<PROVIDER>_<FIELD>` for each field of its settings."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from meetings.application.ports.calendars import Registration
from meetings.domain.calendar_connection import Provider
from meetings.infrastructure.providers import REGISTRY

NAMES: Mapping[str, tuple[Provider, str]] = {
    f"{provider.value.lower()}_{field.name}": (provider, field.name)
    for provider, registration in REGISTRY.items()
    for field in fields(registration.settings)
}
"""Every setting of a provider by its name without `MEETINGS_`, in small letters."""


def settings_of_providers(
    given: Mapping[str, object], *, prefix: str, address: Callable[[str], str]
) -> dict[Provider, Any]:
    """The settings of each provider that is set up: all fields without a default are given. Empty texts are not given.

    `given` has the keys of `NAMES`. Fields that end in `_url` have to be addresses, which `address` checks.

    Raises:
        ValueError: a sentence that names the variable; no value is repeated.
    """
    found: dict[Provider, Any] = {}
    for provider, registration in REGISTRY.items():
        told = {field: given[name] for name, (whose, field) in NAMES.items() if whose is provider and given.get(name)}
        needed = fields_without_default(registration)
        variables = {
            field.name: f"{prefix}{provider.value}_{field.name.upper()}" for field in fields(registration.settings)
        }
        missing = [name for name in needed if name not in told]
        if missing and any(name in told for name in needed):
            together = " and ".join(variables[name] for name in needed)
            raise ValueError(f"{together} belong together: set both, or neither.")
        if not missing:
            found[provider] = _settings(registration, told, variables, address)
    return found


def fields_without_default(registration: Registration) -> list[str]:
    """What has to be set before a provider is there at all."""
    found = fields(registration.settings)
    return [field.name for field in found if field.default is MISSING and field.default_factory is MISSING]


def _settings(
    registration: Registration, told: dict[str, object], variables: Mapping[str, str], address: Callable[[str], str]
) -> Any:
    hints = get_type_hints(registration.settings)
    values: dict[str, object] = {}
    for name, value in told.items():
        try:
            if name.endswith("_url") and isinstance(value, str):
                value = address(value)
        except ValueError as bad:
            raise ValueError(f"{variables[name]} cannot be used: {bad}.") from None
        if str(hints[name]).startswith("tuple") and isinstance(value, str):
            value = tuple(word.strip() for word in value.split(",") if word.strip())
        values[name] = value
    try:
        return TypeAdapter(registration.settings).validate_python(values)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        where = variables.get(str(problem["loc"][0]), "") if problem["loc"] else " or ".join(variables.values())
        text = str(problem["msg"]).removeprefix("Value error, ")
        raise ValueError(f"{where} cannot be used: {text[:1].lower()}{text[1:]}.") from None
