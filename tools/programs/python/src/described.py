"""What a function says of itself: its description, the JSON Schema of its parameters, and arguments as it wants them."""

import dataclasses
import datetime
import decimal
import enum
import inspect
import pathlib
import re
import types
import typing

PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", decimal.Decimal: "number"}
# Types that JSON writes as text, with the word that JSON Schema has for it.
TEXTUAL = {datetime.datetime: "date-time", datetime.date: "date", datetime.time: "time", pathlib.Path: None}
LISTS = (list, tuple, set, frozenset)
# `name: text`, as in Google's style `name (type): text` or in Sphinx's `:param name: text`.
PARAMETER = re.compile(r"(?::param\s+)?(\w+)(?:\s*\([^)]*\))?:\s+(.+)")


class Function:
    def __init__(self, function, name, description):
        self.name = name
        self.types = typing.get_type_hints(function, include_extras=True)
        self.parameters = inspect.signature(function).parameters
        text = inspect.getdoc(function) or ""
        self.description = (description or " ".join(text.split("\n\n")[0].split())).strip()
        if not self.description:
            raise ValueError(f"tool '{name}' needs a description: a docstring below its first line")
        self.texts = parameter_texts(text, self.parameters)

    def schema(self):
        properties, required = {}, []
        for name, parameter in self.parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(f"the parameter '{name}' of tool '{self.name}' must be an ordinary one, which has a name")
            properties[name] = {**schema_of(self.types.get(name, typing.Any)), **self.texts.get(name, {})}
            if parameter.default is parameter.empty:
                required.append(name)
            elif parameter.default is not None:
                properties[name]["default"] = plain(parameter.default)
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def arguments(self, given):
        return {name: as_type(value, self.types.get(name, typing.Any)) for name, value in given.items()}


def parameter_texts(text, parameters):
    """The descriptions of parameters; lines that are indented more belong to the one before."""
    texts, last, margin = {}, None, 0
    for line in text.splitlines()[1:]:
        found, indent = PARAMETER.fullmatch(line.strip()), len(line) - len(line.lstrip())
        if found and found[1] in parameters:
            last, margin = found[1], indent
            texts[last] = {"description": found[2]}
        elif last and line.strip() and indent > margin:
            texts[last]["description"] += " " + line.strip()
        else:
            last = None
    return texts


def schema_of(kind):
    """The JSON Schema of an annotation."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        texts = [one for one in inner[1:] if isinstance(one, str)]
        more = [one for one in inner[1:] if isinstance(one, dict)]
        return {**schema_of(inner[0]), **({"description": texts[0]} if texts else {}), **(more[0] if more else {})}
    if origin is typing.Literal:
        return choice(inner)
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    if kind in TEXTUAL:
        return {"type": "string", **({"format": TEXTUAL[kind]} if TEXTUAL[kind] else {})}
    if origin in (typing.Union, types.UnionType):
        others = [schema_of(one) for one in inner]
        simple = [one["type"] for one in others if one.keys() == {"type"}]
        return {"type": simple} if len(simple) == len(others) else {"anyOf": others}
    if origin in LISTS or kind in LISTS:
        items = [one for one in inner if one is not Ellipsis]
        unique = {"uniqueItems": True} if (origin or kind) in (set, frozenset) else {}
        return {"type": "array", **({"items": schema_of(items[0])} if len(set(items)) == 1 else {}), **unique}
    if origin is dict or kind is dict:
        return {"type": "object", **({"additionalProperties": schema_of(inner[1])} if inner else {})}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return choice([one.value for one in kind])
    if dataclasses.is_dataclass(kind):
        fields = dataclasses.fields(kind)
        needed = [one.name for one in fields if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING]
        return record(typing.get_type_hints(kind, include_extras=True), needed)
    if typing.is_typeddict(kind):
        return record(typing.get_type_hints(kind), sorted(kind.__required_keys__))
    if kind in (typing.Any, object):
        return {}
    raise TypeError(f"the type {getattr(kind, '__name__', kind)} cannot be a parameter; use str, int, float, bool, list, dict, Literal, an Enum or a dataclass")  # fmt: skip


def choice(values):
    kinds = {type(one) for one in values}
    return {**({"type": PLAIN[kinds.pop()]} if len(kinds) == 1 and kinds <= PLAIN.keys() else {}), "enum": list(values)}


def record(hints, needed):
    properties = {name: schema_of(kind) for name, kind in hints.items()}
    return {"type": "object", "properties": properties, "required": list(needed), "additionalProperties": False}


def as_type(value, kind):
    """A value from JSON as the annotation wants it."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return as_type(value, inner[0])
    if origin in (typing.Union, types.UnionType):
        fitting = [one for one in inner if fits(value, one)]
        return as_type(value, fitting[0]) if fitting else value
    if kind is float and isinstance(value, int):
        return float(value)
    if kind is decimal.Decimal:
        return decimal.Decimal(str(value))
    if kind in TEXTUAL:
        return kind(value) if kind is pathlib.Path else kind.fromisoformat(value)
    if (origin or kind) in LISTS and isinstance(value, list):
        items = [one for one in inner if one is not Ellipsis]
        return (origin or kind)(as_type(one, items[0]) if items else one for one in value)
    if origin is dict and isinstance(value, dict):
        return {name: as_type(one, inner[1]) for name, one in value.items()}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    if dataclasses.is_dataclass(kind) and isinstance(value, dict):
        hints = typing.get_type_hints(kind, include_extras=True)
        return kind(**{name: as_type(one, hints[name]) for name, one in value.items()})
    return value


def fits(value, kind):
    origin = typing.get_origin(kind) or kind
    if origin is typing.Annotated:
        return fits(value, typing.get_args(kind)[0])
    if origin is typing.Literal:
        return value in typing.get_args(kind)
    if origin in (float, decimal.Decimal):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if origin is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if origin in LISTS:
        return isinstance(value, list)
    if origin in TEXTUAL:
        return isinstance(value, str)
    if isinstance(origin, type) and issubclass(origin, enum.Enum):
        return any(one.value == value for one in origin)
    if dataclasses.is_dataclass(origin) or typing.is_typeddict(origin):
        return isinstance(value, dict)
    return not isinstance(origin, type) or isinstance(value, origin)


def plain(value):
    """What JSON has for a value that a script gives."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, dict):
        return {str(plain(name)): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(one) for one in value), key=str)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, pathlib.PurePath):
        return str(value)
    return value
