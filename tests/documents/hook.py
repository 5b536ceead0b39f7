"""What MkDocs calls: the references are made here, and a site that would ask another host is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from tests.documents import cli, http, settings

# What a browser fetches by itself; a link that a reader may follow is no part of it.
_FETCHED = re.compile(
    r"""<(?:script|img|iframe|link rel="(?:stylesheet|preconnect)")[^>]*?(?:src|href)="?(//|https?:)"""
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages that the program tells of itself."""
    made = {
        "reference/cli.md": cli.page(),
        "reference/settings.md": settings.page(),
        "reference/http.md": http.page(),
        "reference/openapi.yaml": http.description(),
    }
    for place, content in made.items():
        files.append(File.generated(config, place, content=content))
    return files


def on_post_build(config: MkDocsConfig, **_: Any) -> None:
    """Raises PluginError where a page fetches something from elsewhere."""
    site = Path(config.site_dir)
    faulty = [
        str(page.relative_to(site))
        for page in site.rglob("*.html")
        if _FETCHED.search(page.read_text(encoding="utf-8"))
    ]
    if faulty:
        raise PluginError(f"the site has to work without a network; these pages fetch from one: {faulty}")
