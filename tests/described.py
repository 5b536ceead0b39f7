"""The API's description (OpenAPI 3.1) as a judge of what is really sent and answered."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from gateway.http import openapi


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """The description as it is served."""
    found: dict[str, Any] = yaml.safe_load(openapi.text())
    return found


def resolved(node: Any) -> Any:
    """A part of the description with its reference followed."""
    while "$ref" in node:
        found: Any = description()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def faults(schema: dict[str, Any], value: object) -> list[str]:
    """Why `value` does not fit a schema of the description."""
    whole = {**schema, "components": description()["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def response_faults(method: str, path: str, status: int, media_type: str, body: object) -> list[str]:
    """Why an answer is not as described."""
    responses = description()["paths"][path][method.lower()]["responses"]
    if str(status) not in responses:
        return [f"{method} {path}: {status} is not described"]
    content = resolved(responses[str(status)]).get("content", {})
    if media_type not in content:
        return [f"{method} {path}: {status} as {media_type} is not described"]
    return faults(content[media_type].get("schema", {}), body)
