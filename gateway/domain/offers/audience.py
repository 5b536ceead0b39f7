"""An audience: which shoppers of a firm a blast is for, as data that is checked and kept.

All that is said must hold. Nothing in it names a shopper: those of a list are kept apart from it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Days = Annotated[int, Field(ge=1, le=3650)]
Points = Annotated[int, Field(ge=-(10**12), le=10**12)]
Id = Annotated[int, Field(ge=1, le=2**53)]
Prefix = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}$")]
Language = Literal["uk", "ru", "kk", "en"]
MOST_EXCLUDED = 5
MOST_SAMPLE = 10_000_000


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Activated(_Form):
    """Has activated a code of a campaign, at any time or within the last days."""

    campaign: Id
    within_days: Days | None = None


class Seen(_Form):
    """When a code was last activated at the firm: within so many days, or not within them."""

    within_days: Days | None = None
    not_within_days: Days | None = None

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.within_days is None) == (self.not_within_days is None):
            raise ValueError("either within_days or not_within_days is needed")
        return self


class PointsRange(_Form):
    """The balance at the firm, both ends included."""

    least: Points | None = None
    most: Points | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.least is None and self.most is None:
            raise ValueError("least or most is needed")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("least is above most")
        return self


class Sample(_Form):
    """A random part of those that fit: a share, or so many. The same people each time."""

    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    most: Annotated[int, Field(ge=1, le=MOST_SAMPLE)] | None = None

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.share is None) == (self.most is None):
            raise ValueError("either share or most is needed")
        return self


class Definition(_Form):
    """An empty one is every shopper of the firm.

    `regions`: what a number begins with, country first, such as 380 or 77. `uploaded`: only those of the list
    that the firm uploads. `exclude`: other audiences of the firm, by id.
    """

    activated: Activated | None = None
    seen: Seen | None = None
    points: PointsRange | None = None
    regions: Annotated[tuple[Prefix, ...], Field(max_length=100)] = ()
    languages: Annotated[tuple[Language, ...], Field(max_length=4)] = ()
    uploaded: bool = False
    exclude: Annotated[tuple[Id, ...], Field(max_length=MOST_EXCLUDED)] = ()
    sample: Sample | None = None


def prefix_of(number: str) -> str:
    """What is kept of a number (E.164 digits) to tell its region.

    Five digits at most, and never so many that fewer than seven stay unknown.

    >>> prefix_of("380671234567"), prefix_of("37066123"), prefix_of("3706612345")
    ('38067', '3', '370')
    """
    return number[: max(0, min(5, len(number) - 7))]
