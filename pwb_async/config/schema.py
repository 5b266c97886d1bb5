"""The JSON Schema of a TOML file, made from the declarations, for editors that complete and check it.

It is of draft 7, which the extensions for TOML understand. It describes how values are meant to be written;
read_options() accepts some others, too, such as "true" for true.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pwb_async.core.site.redirect_rules import REDIRECTS, REWRITES

from .declarations import Declaration
from .option_types import (
    AGE,
    BYTES,
    BYTES_OR_OFF,
    COUNT,
    COUNT_OR_0,
    PERCENT,
    PERCENT_OR_0,
    PORT,
    RATE,
    SECONDS,
    SECONDS_OR_0,
    SWITCH,
    WORKERS,
    OptionType,
)
from .options import DECLARATIONS
from .rate_types import IPV6_PREFIX, REQUEST_RATE, SEND_RATE
from .rule_tables import LIMIT_SETTINGS
from .site_tables import is_of_a_site

Schema = Mapping[str, Any]
_STRING: Final[Schema] = {"type": "string"}
_STRINGS: Final[Schema] = {"type": "array", "items": _STRING}
_TIME: Final[Schema] = {"type": "string", "pattern": r"^[0-9]{0,9}\.?[0-9]{1,20} ?(ms|s|m|h|d)?$"}
_SIZE: Final[Schema] = {"type": "string", "pattern": "^[0-9]{1,15} ?([KMG](iB)?)?$"}
_TYPES: Final[Mapping[OptionType, Schema]] = {
    SWITCH: {"type": "boolean"},
    PORT: {"type": "integer", "minimum": 0, "maximum": 65535},
    COUNT: {"type": "integer", "minimum": 1},
    COUNT_OR_0: {"type": "integer", "minimum": 0},
    PERCENT: {"type": "integer", "minimum": 1, "maximum": 100},
    PERCENT_OR_0: {"type": "integer", "minimum": 0, "maximum": 100},
    WORKERS: {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "auto"}]},
    BYTES: {"anyOf": [{"type": "integer", "minimum": 1}, _SIZE]},
    BYTES_OR_OFF: {"anyOf": [{"type": "integer", "minimum": 1}, _SIZE, {"const": "off"}]},
    RATE: {"anyOf": [{"type": "integer", "minimum": 0}, _SIZE]},
    SEND_RATE: {"anyOf": [{"const": 0}, {"type": "integer", "minimum": 1024}, _SIZE]},
    REQUEST_RATE: {"type": "string", "pattern": "^([1-9][0-9]{0,8} ?/ ?[smh]|off)$"},
    IPV6_PREFIX: {"type": "integer", "minimum": 1, "maximum": 128},
    SECONDS: {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 2000000}, _TIME]},
    SECONDS_OR_0: {"anyOf": [{"type": "number", "minimum": 0, "maximum": 2000000}, _TIME]},
    AGE: {"anyOf": [{"type": "integer", "minimum": 0}, _TIME]},
}
"""The types that are not just strings."""


def make_schema() -> Schema:
    """The schema of pwb.toml, and of the table [tool.pwb] in pyproject.toml."""
    tables = {name: {"type": "array", "items": table} for name, table in _rule_tables().items()}
    site = _object(
        filter(is_of_a_site, DECLARATIONS.values()),
        {"hosts": {**_STRINGS, "minItems": 1, "description": "Hosts of the site, such as a.example or *.b.example."}}
        | tables,
    )
    site["required"] = ["hosts", "root"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Options of PWB",
        **_object(DECLARATIONS.values(), tables | {"sites": {"type": "array", "items": site}}),
    }


def _object(options: Iterable[Declaration], others: Schema) -> dict[str, Any]:
    """The schema of a table with these options and others. A key may have "_" in place of "-"."""
    named = {option.flag[2:]: _option(option) for option in options}
    return {
        "type": "object",
        "properties": {**named, **others},
        "patternProperties": {f"^{key.replace('-', '_')}$": schema for key, schema in named.items() if "-" in key},
        "additionalProperties": False,
    }


def _option(option: Declaration) -> Schema:
    value = _value(option.type)
    schema = {"type": "array", "items": value} if option.repeatable else dict(value)
    schema["description"] = option.help
    if option.default not in (None, ()) or isinstance(option.default, bool):
        schema["default"] = _plain(option)
    return schema


def _value(option_type: OptionType) -> Schema:
    """The schema of one value."""
    if option_type.words:
        return {"enum": list(option_type.words)}
    if option_type in _TYPES:
        return _TYPES[option_type]
    return {**_STRING, "examples": [option_type.toml_string]} if option_type.toml_string else _STRING


def _plain(option: Declaration) -> Any:
    """The default as a TOML file may have it."""
    value = option.default
    if isinstance(value, bool):
        return value
    if option.repeatable:
        return list(value)
    return option.type.zero_word if not value and option.type.zero_word else value


def _rule_tables() -> dict[str, Schema]:
    """The schema of a table of each kind of rule, as rule_tables.py reads them."""
    pattern = {**_STRING, "description": "Paths, such as /docs/* or /blog/:name."}
    values = {"anyOf": [_STRING, _STRINGS]}
    fields = {"type": "object", "additionalProperties": values}
    rule = {
        "from": pattern,
        "to": _STRING,
        "force": _TYPES[SWITCH],
        "query": {"type": "object", "additionalProperties": _STRING},
    }
    return {
        "headers": _table({"for": pattern, "set": fields, "unset": _STRINGS}, "for"),
        "redirects": _table({**rule, "status": {"enum": list(REDIRECTS)}}, "from", "to"),
        "rewrites": _table({**rule, "status": {"enum": list(REWRITES)}}, "from", "to"),
        "access": _table({"for": pattern, "htpasswd": _STRING, "allow": _STRINGS, "deny": _STRINGS}, "for"),
        "limits": _object((DECLARATIONS[name] for name in LIMIT_SETTINGS), {"for": pattern}) | {"required": ["for"]},
    }


def _table(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
