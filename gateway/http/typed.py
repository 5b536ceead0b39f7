"""What shoppers type, as requests bear it: numbers, codes, short numbers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gateway.domain.written.outside import fits
from gateway.http import fields
from gateway.http.bodies import Body
from gateway.http.fields import LONGEST_CODE

Code = Annotated[str, Field(min_length=1, max_length=LONGEST_CODE)]


Phone = Annotated[str, Field(min_length=5, max_length=32)]


Short = Annotated[str, Field(min_length=1, max_length=20)]


Language = Literal["uk", "ru", "kk", "en"]


class Codes(Body):
    """One `code` or several `codes` of a shopper."""

    phone: Phone
    code: Code | None = None
    codes: Annotated[list[str], Field(min_length=1, max_length=100)] | None = None

    @field_validator("codes")
    @classmethod
    def _what_may_be_codes(cls, typed: list[str] | None) -> list[str] | None:
        """What can be none is nobody's, and no fault of those beside it."""
        return typed and [code if len(code) <= LONGEST_CODE and fits(code) else "" for code in typed]

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.code is None) == (self.codes is None):
            raise ValueError("either code or codes is needed")
        return self

    def all(self, most: int) -> tuple[str, ...]:
        """The codes, however they came. Raises Problem for more than `most`."""
        found = tuple(self.codes or ()) or (self.code or "",)
        if len(found) > most:
            raise fields.refused("codes", f"are too many: {most} at most")
        return found
