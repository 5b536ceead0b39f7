"""How many contacts a person bears: in any 24 hours and in any 7 days, over all firms, by channel.

The function of Redis that charges a contact (store/lua/caps.lua) counts in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from config.policies import ChannelRules

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
TAG_OCTETS: Final = 8


def contact_name(blast: str, shopper: str) -> str:
    """Of the one contact that a blast makes with a person by a channel, however often it is put off."""
    return f"{blast}/{shopper}"


def contact_tag(contact: str) -> bytes:
    """What stands for a contact in the row of its charge: the same when it is charged again."""
    return blake2b(contact.encode(), digest_size=TAG_OCTETS).digest()


def free_at(rules: ChannelRules, contacted: Sequence[int], now: int) -> int:
    """The first moment from `now` on at which one more contact is within both caps.

    `contacted`: when the person was contacted by this channel, ms since 1970, ascending.
    """
    return max(
        now, _free(contacted, rules.per_day, DAY_MS, now), _free(contacted, rules.per_week, WEEK_MS, now)
    )


def over_week(rules: ChannelRules, contacted: Sequence[int], now: int) -> bool:
    """Whether it is the cap of the week that holds."""
    return _free(contacted, rules.per_week, WEEK_MS, now) > now


def _free(contacted: Sequence[int], most: int, window: int, now: int) -> int:
    """When so few of them are in the window that one more is allowed."""
    counted = [at for at in contacted if at + window > now]
    return counted[-most] + window if len(counted) >= most else 0
