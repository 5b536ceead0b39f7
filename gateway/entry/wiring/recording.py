"""The studio in which recordings are made, as the settings have it."""

from __future__ import annotations

import shlex

from config.ivr_settings import IvrSettings
from ivr.prompts.voice import Voice
from ivr.recordings.studio import Studio


def studio(settings: IvrSettings) -> Studio:
    """Its programs are looked for when they are needed."""
    voice = Voice(espeak=tuple(shlex.split(settings.espeak)), sox=tuple(shlex.split(settings.sox)))
    return Studio(voice=voice)
