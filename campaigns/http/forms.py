"""Bodies that are sent to us, as the description has them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from campaigns.lifecycle.draft import NewBlast
from gateway.domain.offers.audience import Definition, Id, Language
from gateway.domain.offers.cascade import LEAST_AFTER_S, MOST_AFTER_S
from gateway.domain.offers.offer_call import CallPlan
from gateway.domain.written import instants
from gateway.domain.written.outside import fits
from gateway.http.bodies import Body, Moment, Name

MOST_REFERENCES = 1_000
MOST_REFERENCE = 40  # characters, with whatever stands between them
Words = Annotated[str, Field(min_length=1, max_length=2000)]


class NewAudience(Body):
    """An audience of a name that the firm has not used."""

    name: Name
    definition: Definition = Definition()


class References(Body):
    """The firm's own names of shoppers. What cannot be one is an item to leave out, no fault of all."""

    references: Annotated[list[object], Field(min_length=1, max_length=MOST_REFERENCES)]

    @field_validator("references")
    @classmethod
    def _of_a_form(cls, said: list[object]) -> list[object]:
        return [one if _may_be_reference(one) else None for one in said]


def _may_be_reference(said: object) -> bool:
    return isinstance(said, str) and len(said) <= MOST_REFERENCE and fits(said)


class Draft(Body):
    """A blast. `spread_s`: over so many seconds; shares from 0 up to 1."""

    name: Name
    channel: Literal["sms", "call"] = "sms"
    audience: Id | None = None
    follows: Id | None = None
    follow_after_s: Annotated[int, Field(ge=LEAST_AFTER_S, le=MOST_AFTER_S)] | None = None
    call: CallPlan | None = None
    campaign: Id
    texts: Annotated[dict[Language, Words], Field(min_length=1)]
    fallback: Language | None = None
    short_number: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    holdout: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    spread_s: Annotated[int, Field(ge=0, le=30 * 86_400)] = 0
    error_share: Annotated[float, Field(gt=0, le=1)] = 0.05
    starts_at: Moment | None = None
    expires_at: Moment | None = None

    def new(self) -> NewBlast:
        """As the blast's life has it."""
        told = self.model_dump(exclude={"channel", "call", "starts_at", "expires_at"})
        starts_at, expires_at = _ms(self.starts_at), _ms(self.expires_at)
        return NewBlast(**told, call=self.call, starts_at=starts_at, expires_at=expires_at)

    @model_validator(mode="after")
    def _calls_or_writes(self) -> Draft:
        if (self.channel == "call") is not (self.call is not None):
            raise ValueError(
                'call: a blast that has it needs "channel": "call", and a blast of that channel needs it'
            )
        return self


class Edited(Body):
    """Fields of a draft that are to be otherwise; those that are left out stay. `revision`: the one seen."""

    revision: Annotated[int, Field(ge=1)]
    name: Name = ""
    audience: Id = 1
    follow_after_s: Annotated[int, Field(ge=LEAST_AFTER_S, le=MOST_AFTER_S)] = LEAST_AFTER_S
    call: CallPlan | None = None
    campaign: Id = 1
    texts: Annotated[dict[Language, Words], Field(min_length=1)] = Field(default={})
    fallback: Language | None = None
    short_number: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    holdout: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    spread_s: Annotated[int, Field(ge=0, le=30 * 86_400)] = 0
    error_share: Annotated[float, Field(gt=0, le=1)] = 0.05
    starts_at: Moment | None = None
    expires_at: Moment | None = None

    def changes(self) -> dict[str, Any]:
        """What was said, as fields of NewBlast."""
        said = {name: getattr(self, name) for name in self.model_fields_set - {"revision"}}
        return {name: _ms(value) if name.endswith("_at") else value for name, value in said.items()}

    @model_validator(mode="after")
    def _says_something(self) -> Edited:
        if self.model_fields_set == {"revision"}:
            raise ValueError("nothing is to be otherwise: name a field")
        return self


class Copied(Body):
    """A copy of a blast. `name`: None takes the old one, and says that it is a copy."""

    name: Name | None = None


class Test(Body):
    """A number of the marketer's own."""

    phone: Annotated[str, Field(min_length=5, max_length=32)]
    language: Literal["uk", "ru", "kk", "en"] | None = None


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else instants.ms_of(moment)
