"""The reference of the settings: from their models what they take, from the example what they mean."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

import config
from config.link_settings import LinkSettings
from config.settings import Settings

_EXAMPLE = Path(config.__file__).with_name("undercap.example.toml")
_HEADER = re.compile(r"^\[\[?([a-z_.]+)\]\]?$")
_KEY = re.compile(r"^(?:# )?([a-z_]+) = (.*)$")
_REMARK = re.compile(r"""^(?:"[^"]*"|[^#"])*# (.*)$""")
_KINDS = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", SecretStr: "secret"}
_INTRODUCTION = (
    "From the models that judge them, and from the words of `config/undercap.example.toml`, which shows them "
    "all in one file. The environment wins over the file: `UNDERCAP_` and the name in capitals, sections "
    "joined by two underscores (`http.port` is `UNDERCAP_HTTP__PORT`). A secret may stand in a file of its "
    "own: `…_file`."
)


class _Said(NamedTuple):
    """What the example says of a setting: above its line, and behind its value."""

    above: str
    behind: str


def page() -> str:
    """The page, in Markdown."""
    said = dict(_remarks(_EXAMPLE.read_text(encoding="utf-8")))
    parts = [
        "# Settings",
        _INTRODUCTION,
    ]
    for name, model in _sections(Settings, ""):
        title = f"[[{name}]]" if model is LinkSettings else f"[{name}]" if name else "Without a section"
        parts.append(f"## {title if title[0] != '[' else f'`{title}`'}")
        if name:
            parts.append(inspect.cleandoc(model.__doc__ or ""))
        parts.append("| setting | takes | default | means |\n| --- | --- | --- | --- |")
        rows = [
            _row(key, field, said.get(f"{name}.{key}".lstrip("."), _Said("", "")))
            for key, field in model.model_fields.items()
            if not _is_section(field.annotation) and key != "links"
        ]
        parts[-1] += "\n" + "\n".join(rows)
    return "\n\n".join(parts) + "\n"


def _sections(model: type[BaseModel], name: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield name, model
    for key, field in model.model_fields.items():
        kind = field.annotation
        below = f"{name}.{key}".lstrip(".")
        if key == "links":
            yield below, LinkSettings
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _sections(kind, below)


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _row(key: str, field: FieldInfo, said: _Said) -> str:
    means = " ".join(filter(None, (said.above, said.behind)))
    cells = (f"`{key}`", _takes(field.annotation) + _limits(field), _default(field), means)
    return "| " + " | ".join(cell.replace("|", r"\|").replace("<", "&lt;") for cell in cells) + " |"


def _takes(kind: Any) -> str:
    """The values that a setting takes, in a few words."""
    origin, of = get_origin(kind), get_args(kind)
    if origin is Literal:
        told = ", ".join(f"`{value}`" for value in of)
    elif origin in (Union, UnionType):
        told = " or ".join(_takes(one) for one in of if one is not NoneType)
    elif origin in (tuple, list, frozenset):
        told = f"list of: {_takes(of[0])}"
    elif origin is dict:
        told = f"table: {_takes(of[0])} = {_takes(of[1])}"
    elif hasattr(kind, "__metadata__"):
        told = _takes(of[0])
    elif _is_section(kind):
        told = "{ " + ", ".join(f"`{name}`" for name in kind.model_fields) + " }"
    elif isinstance(kind, type) and issubclass(kind, PurePath):
        told = "path"
    else:
        told = _KINDS.get(kind, getattr(kind, "__name__", str(kind)))
    return told


def _limits(field: FieldInfo) -> str:
    """Its bounds, as `, 1 to 100`."""
    told: dict[str, Any] = {}
    for limit in field.metadata:
        for name in ("ge", "gt", "le", "lt", "max_length"):
            if (value := getattr(limit, name, None)) is not None:
                told[name] = f"{value:,}".replace(",", " ") if isinstance(value, int) else f"{value:g}"
    if "max_length" in told:
        return f", {told['max_length']} characters at most"
    if "ge" in told and "le" in told:
        return f", {told['ge']} to {told['le']}"
    words = {"ge": "at least", "gt": "over", "le": "at most", "lt": "under"}
    found = [f"{words[name]} {told[name]}" for name in words if name in told]
    return ", " + ", ".join(found) if found else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "has to be set"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{', '.join(map(str, value)) if isinstance(value, tuple | list) else value}`"


def _remarks(example: str) -> Iterator[tuple[str, _Said]]:
    """The comments of the example, by setting; those above a row of settings go to the first of it."""
    section, above = "", list[str]()
    for line in example.splitlines():
        if header := _HEADER.match(line):
            section, above = header[1] + ".", []
        elif key := _KEY.match(line):
            remark = _REMARK.search(key[2])
            yield section + key[1], _Said(" ".join(above), remark[1] if remark else "")
            above = []
        elif line.startswith("# "):
            above.append(line[2:])
        else:
            above = []
