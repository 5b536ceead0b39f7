"""What goes wrong with the manager interface. No message holds a value that was sent: it may be a number."""

from __future__ import annotations


class AmiError(Exception):
    """Asterisk's manager interface did not do what was asked."""


class Unreachable(AmiError):
    """Asterisk cannot be connected to; the message says why."""


class LoginRefused(AmiError):
    """Asterisk refuses our user; the message holds its words."""


class Lost(AmiError):
    """The connection ended, or Asterisk did not answer in time; what was asked may have been done."""


class Refused(AmiError):
    """Asterisk answered with an error; the message holds its words."""


class Unsendable(AmiError):
    """A value would be read by Asterisk as something else than a value; the message names its field."""


class Garbage(AmiError):
    """What was heard is not the manager interface."""
