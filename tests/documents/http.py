"""The reference of HTTP, from the description that the API itself serves."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

Tree = dict[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")


def description() -> str:
    """The OpenAPI document, as it stands beside the routes."""
    return files("gateway.http").joinpath("openapi.yaml").read_text(encoding="utf-8")


def page() -> str:
    """The page, in Markdown."""
    api: Tree = yaml.safe_load(description())
    parts = [
        "# HTTP",
        "From the [description](openapi.yaml) (OpenAPI 3.1) that every gateway serves at `/v1/openapi.yaml`.",
        api["info"]["description"],
    ]
    for tag in api["tags"]:
        parts += [f"## For the {tag['name']}", tag["description"]]
        for path, methods in api["paths"].items():
            for method in _METHODS:
                if tag["name"] in methods.get(method, {}).get("tags", ()):
                    parts.append(_route(api, f"{method.upper()} {path}", methods[method]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _route(api: Tree, name: str, route: Tree) -> str:
    parts = [f"### `{name}`", route["summary"], route.get("description", "")]
    keys = [key for need in route.get("security", ()) for key in need]
    if keys:
        schemes = api["components"]["securitySchemes"]
        parts.append("Needs " + " or ".join(f"`{key}` ({schemes[key]['type']})" for key in keys) + ".")
    rows = [_parameter(_seen(api, one)) for one in route.get("parameters", ())]
    for kind, content in route.get("requestBody", {}).get("content", {}).items():
        rows += _fields(api, _seen(api, content.get("schema", {})), kind)
    if rows:
        parts.append("| field | in | takes | means |\n| --- | --- | --- | --- |\n" + "\n".join(rows))
    answers = ((status, _seen(api, answer)) for status, answer in route["responses"].items())
    parts.append("\n".join(f"- **{status}** {_line(answer['description'])}" for status, answer in answers))
    return "\n\n".join(part.strip() for part in parts if part)


def _parameter(one: Tree) -> str:
    needed = "" if one.get("required") else " (may be left out)"
    return _cells(f"`{one['name']}`{needed}", one["in"], _takes(one["schema"]), one.get("description", ""))


def _fields(api: Tree, schema: Tree, kind: str) -> list[str]:
    """The fields of a body, one row each; those of its alternatives, too."""
    found: dict[str, str] = {}
    for part in (schema, *(_seen(api, one) for one in (*schema.get("allOf", ()), *schema.get("oneOf", ())))):
        for name, field in part.get("properties", {}).items():
            told = _seen(api, field) if isinstance(field, dict) else {}
            needed = "" if name in part.get("required", ()) else " (may be left out)"
            means = str(field.get("description") or told.get("description", "")) if told else ""
            found.setdefault(name, _cells(f"`{name}`{needed}", kind, _takes(told), means))
    return list(found.values())


def _takes(schema: Tree) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _seen(api: Tree, part: Tree) -> Tree:
    """What a reference stands for."""
    while "$ref" in part:
        found: Any = api
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def _cells(*cells: str) -> str:
    return "| " + " | ".join(_line(cell).replace("|", r"\|") for cell in cells) + " |"


def _line(text: str) -> str:
    return " ".join(text.split())
