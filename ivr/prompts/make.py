"""All prompts of some languages as sound files, several at once; what is up to date or recorded stays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from config import prompts
from config.texts import LANGUAGES
from ivr.prompts.manifest import Manifest, digest
from ivr.prompts.voice import RECIPE, Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How many files of one language were made, were up to date, or are a studio's and were kept."""

    language: str
    made: int
    current: int
    recorded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """One file to make. `text`: None for the pause. `breath_s`: of silence after it."""

    name: str
    text: str | None
    breath_s: float
    file: Path

    @property
    def source(self) -> str:
        """What the file depends on."""
        return f"{RECIPE}\n{self.breath_s}\n{self.text}"


def make(into: Path, languages: Sequence[str], voice: Voice, *, force: bool = False) -> list[Made]:
    """Make what is missing or outdated under `into`/LANGUAGE.

    `force`: in place of a studio's recordings, too. Raises ProgramError, PromptError, and OSError.
    """
    voice.check()
    return [_language(into / language, language, voice, force=force) for language in languages]


def missing(directory: Path, languages: Sequence[str] = LANGUAGES) -> list[str]:
    """The prompts without a file, as LANGUAGE/NAME. A recording may have any form that Asterisk plays."""
    return [
        f"{language}/{name}"
        for language in languages
        for name in (*prompts.load(language), prompts.PAUSE)
        if next((directory / language).glob(f"{name}.*"), None) is None
    ]


def _language(directory: Path, language: str, voice: Voice, *, force: bool) -> Made:
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    manifest = Manifest.read(directory)
    texts: dict[str, str | None] = {**prompts.load(language), prompts.PAUSE: None}
    orders = [
        _Order(name=name, text=text, breath_s=_breath_s(name), file=directory / f"{name}.wav")
        for name, text in texts.items()
    ]
    recorded = [] if force else [each for each in orders if manifest.is_recorded(each.name, each.file)]
    current = [each for each in orders if manifest.is_current(each.name, each.file, each.source)]
    wanted = [each for each in orders if each not in recorded and each not in current]
    # The work is that of other processes; a thread waits for each.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for order, file_digest in zip(
                wanted, pool.map(lambda o: _one(o, language, voice), wanted), strict=True
            ):
                manifest.made[order.name] = digest(order.source), file_digest
        finally:
            pool.shutdown(cancel_futures=True)
            manifest.write()
    return Made(language=language, made=len(wanted), current=len(current), recorded=len(recorded))


def _breath_s(name: str) -> float:
    """Digits follow one another closely, sentences do not."""
    return 0.08 if name in prompts.NUMBERS else 0.25


def _one(order: _Order, language: str, voice: Voice) -> str:
    """Make one file, whole or not at all; its digest."""
    waiting = order.file.with_name(f".{order.file.name}")
    if order.text is None:
        voice.pause(waiting)
    else:
        voice.speak(order.text, language, order.breath_s, waiting)
    waiting.chmod(0o644)  # Asterisk is another user
    content = waiting.read_bytes()
    waiting.replace(order.file)
    return digest(content)
