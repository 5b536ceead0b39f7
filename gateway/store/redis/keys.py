"""Every Redis key, with its owner: what ends it. No number and no code stands in any of them.

A firm's activation keys share the hash tag `{f<id>}`, so one function is atomic on one slot of a cluster.
`shopper` is always the vault's index of a number (22 characters), never the number.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from gateway.domain.sms.priority import IN_ORDER, Priority

# Times to live, seconds.
LIMITS_TTL = 2 * 86_400  # a shopper's counters outlive their longest window, a day
SEEN_UNSENT_TTL = 8 * 86_400  # a text whose answer still waits; shortened once the answer was submitted
DRAIN_LEASE_MS = 5_000  # one worker drains a firm; renewed with each batch
NUDGE_TTL = 5  # a nudge that was lost is asked for again after this
STATUS_TTL = 10  # a process that stopped reporting is gone
DIALER_TTL = 15  # as long without a sign of life, and twice looked for, it is dead
PINS_WINDOW = 3600  # one-time PINs are counted by the hour; a PIN itself lives for `web.pin_ttl_s`
TILL_TTL = 90 * 86_400  # a till that was not used for so long is forgotten
BLAST_ENDED_TTL = 8 * 86_400  # texts of a blast that has ended may wait for a link that is gone
ASKED_TTL = 30 * 86_400  # who has asked for an offer in a call gets it once; no blast calls for so long
TRIALS_WINDOW = 86_400
NEWCOMERS_WINDOW = 3600
INQUIRIES_WINDOW = 3600
PARTS_DONE_TTL = 900  # a joined long text is kept so that its re-sent last part joins again

CHUNK_BITS = 65_536
# Starts and counts of the windows minute, hour, day; told until; start and count of replies and of hints.
# Seconds since 1970 in four bytes, counts in two; activate.lua has the same form.
LIMITS = struct.Struct(">IHIHIHIIHIH")

DEPLOYMENT = "deployment"  # the deployment id; lives as long as the data
CATALOG_VERSION = "catalog:version"  # bumped by each change of campaigns; lives as long as the data
FIRMS = "firms"  # set of the ids of all firms that SQL was seen to have; lives as long as the data
NUDGE = "nudge:settle"  # on RQ's server; cleared by the job before its first read
CALLS_NOW = (
    "status:calls"  # hash: what each IVR process says of its calls; ends by STATUS_TTL, each for itself
)
NEWCOMERS = "newcomers"  # callers whom nobody knew; ends by NEWCOMERS_WINDOW
FEED = "feed"  # the simulator's live feed; capped


def nudge_blast(blast_id: int) -> str:
    """On RQ's server: a job for this blast is queued; cleared by the job before its first read."""
    return f"nudge:blast:{blast_id}"


def tag(firm: int) -> str:
    """The slot of a firm."""
    return f"{{f{firm}}}"


def tag_pattern() -> str:
    """What SCAN matches the keys of all firms with."""
    return "{f*}:*"


def of_firms(rest: str) -> str:
    """What SCAN matches keys of all firms with; `rest`: what stands behind the tag."""
    return f"{{f*}}:{rest}"


def kind_of(name: bytes) -> str:
    """The word behind the tag of a firm's key, such as outbox or send."""
    return name.partition(b"}:")[2].partition(b":")[0].decode()


def link_of(name: bytes) -> str:
    """Whose a link's key is."""
    return name[len("{link-") : name.index(b"}")].decode()


def firm_of(name: bytes) -> int:
    """Whose a firm's key is."""
    return int(name[2 : name.index(b"}")])


def gate(firm: int) -> str:
    """Holds the deployment id while this firm's keys are whole; ended by loss, restored by rebuild."""
    return f"{{f{firm}}}:gate"


def outbox(firm: int) -> str:
    """Stream of accepted texts; each entry is ended by its settlement."""
    return f"{{f{firm}}}:outbox"


def settled(firm: int) -> str:
    """The last outbox id that SQL has settled: one that knows less is of an earlier time. Ends by rebuild."""
    return f"{{f{firm}}}:settled"


def campaigns(firm: int) -> str:
    """Hash campaign id -> `state|starts|ends|rule version`; follows SQL."""
    return f"{{f{firm}}}:campaigns"


def voided(firm: int) -> str:
    """Set of voided print batches; follows SQL."""
    return f"{{f{firm}}}:voided"


def bits(firm: int, space: int, chunk: int) -> str:
    """65,536 claim bits of a code space; lives as long as the codes, restored by rebuild."""
    return f"{{f{firm}}}:bits:{space}:{chunk}"


def claim(firm: int, space: int, serial: int) -> str:
    """Who claimed a code, until its settlement ends it."""
    return f"{{f{firm}}}:claim:{space}:{serial}"


def limits(firm: int, shopper: str) -> str:
    """A shopper's counters, packed as LIMITS says; ends by LIMITS_TTL."""
    return f"{{f{firm}}}:limits:{shopper}"


def seen(firm: int, digest: str) -> str:
    """A text that was accepted; ends by the re-delivery window after its answer."""
    return f"{{f{firm}}}:seen:{digest}"


def consent(firm: int, shopper: str) -> str:
    """A person's word, as gateway.domain.consent.word has it; lives as long as that, restored by rebuild."""
    return f"{{f{firm}}}:consent:{shopper}"


def order(firm: int) -> str:
    """`<last moment> <clock then> <count>` of a firm's changes of consent, see words.lua.

    Lives as long as these, restored by rebuild; the count is held against SQL.
    """
    return f"{{f{firm}}}:order"


def blast(firm: int, blast_id: str) -> str:
    """running, paused or cancelled; written and ended by whoever runs the blast. Else nothing leaves."""
    return f"{{f{firm}}}:blast:{blast_id}"


def drain(firm: int) -> str:
    """Lease of the worker that settles this firm; ends by DRAIN_LEASE_MS."""
    return f"{{f{firm}}}:drain"


class SpoolKeys(NamedTuple):
    """A stream on its way to SQL. `suspects`: hash id -> how often an entry failed, ended with the entry;
    `aside`: stream of those laid aside, ended by the operator's replay.
    """

    stream: str
    suspects: str
    aside: str


def outbox_spool(firm: int) -> SpoolKeys:
    """Texts that wait for settlement."""
    return SpoolKeys(outbox(firm), attempts(firm), dead(firm))


def results_spool(firm: int) -> SpoolKeys:
    """What became of answers."""
    return SpoolKeys(results(firm), f"{{f{firm}}}:results-attempts", f"{{f{firm}}}:results-dead")


def receipts_spool(link: str) -> SpoolKeys:
    """Delivery receipts."""
    tag = f"{{link-{link}}}"
    return SpoolKeys(receipts(link), f"{tag}:receipts-attempts", f"{tag}:receipts-dead")


def attempts(firm: int) -> str:
    """Hash outbox id -> failed settlements; an entry ends with its settlement or in the dead letters."""
    return f"{{f{firm}}}:attempts"


def dead(firm: int) -> str:
    """Stream of entries that could not be settled; ended by the operator's replay."""
    return f"{{f{firm}}}:dead"


def send(firm: int, link: str, priority: Priority = Priority.REPLY) -> str:
    """Stream of texts to submit on a link; an entry is ended by its outcome."""
    behind = "" if priority is Priority.REPLY else f":{priority}"
    return f"{{f{firm}}}:send:{link}{behind}"


def sends(firm: int, link: str) -> list[str]:
    """All sending queues of a firm on a link, what leaves first first."""
    return [send(firm, link, priority) for priority in IN_ORDER]


def sent_by(name: bytes) -> tuple[str, Priority]:
    """The link and the priority of a sending queue."""
    link = name.decode().partition("}:send:")[2]
    for priority in IN_ORDER:
        if priority is not Priority.REPLY and link.endswith(f":{priority}"):
            return link.removesuffix(f":{priority}"), priority
    return link, Priority.REPLY


def intents(firm: int, link: str) -> str:
    """Hash of intent -> times that a submit was begun; a field ends with the outcome."""
    return f"{{f{firm}}}:intents:{link}"


def intent(priority: Priority, queue_id: str) -> str:
    """The field of an intent: queues may give the same id twice."""
    place = IN_ORDER.index(priority) + 1
    return queue_id if place == 1 else f"{place}:{queue_id}"


def results(firm: int) -> str:
    """Stream of what became of answers; each entry is ended by its settlement."""
    return f"{{f{firm}}}:results"


def blast_course(firm: int, blast_id: int) -> str:
    """Hash: `revision` of the state that was told, `put`: the last batch that was queued; ends as `blast`."""
    return f"{{f{firm}}}:blast-course:{blast_id}"


def asked(firm: int, blast_id: int, shopper_id: int) -> str:
    """A shopper got the text of a blast, asked for in its call; ends by ASKED_TTL."""
    return f"{{f{firm}}}:asked:{blast_id}:{shopper_id}"


def trials(firm: int) -> str:
    """How many trial texts a firm has sent; ends by TRIALS_WINDOW."""
    return f"{{f{firm}}}:trials"


def inquiries(firm: int) -> str:
    """How many questions about persons a firm has asked; ends by INQUIRIES_WINDOW."""
    return f"{{f{firm}}}:inquiries"


def receipts(link: str) -> str:
    """Stream of delivery receipts of a link; each entry is ended by its settlement."""
    return f"{{link-{link}}}:receipts"


def pace(account: str) -> str:
    """Until when an operator's account has used its segments; ends by itself about a second after."""
    return f"{{pace-{account}}}:pace"


def lease(link: str) -> str:
    """The process that holds a link's binds; ends by itself unless renewed."""
    return f"{{link-{link}}}:lease"


def lease_last(link: str) -> str:
    """The process that had the lease last, so that it knows nobody else had it; lives as long as the link."""
    return f"{{link-{link}}}:lease-last"


def receipt_form(link: str) -> str:
    """The form of ids that a link's receipts were found to have; lives as long as the link."""
    return f"{{link-{link}}}:receipt-form"


def link_status(link: str) -> str:
    """What the holder of a link says of it; ends by STATUS_TTL."""
    return f"{{link-{link}}}:status"


def status(process: str) -> str:
    """What a process says of itself; ends by STATUS_TTL."""
    return f"status:{process}"


def parts(name: str) -> str:
    """Hash of the parts of one long message, named by a digest; ended when overdue, or by PARTS_DONE_TTL."""
    return f"{{parts}}:{name}"


def parts_due() -> str:
    """Sorted set of unfinished long messages by deadline; an entry ends with its message."""
    return "{parts}:due"


def contacts(channel: str, shopper: str) -> str:
    """When marketing of any firm reached a person by a channel; ends by itself a week after the last one.

    These share a slot: a person's firms lie on others.
    """
    return f"{{caps}}:{channel}:{shopper}"


# Offer calls of all firms and dialers share a slot, so that one function holds all that limits them.


def called_person(shopper: str) -> str:
    """The id of a person's live call; ends with the call, at the latest by its deadline."""
    return f"{{calls}}:person:{shopper}"


def live_calls(blast: str = "") -> str:
    """Sorted set of live calls by deadline, of a blast or of all; ends by itself after the last deadline."""
    return f"{{calls}}:live:{blast}"


def call_pace(blast: str = "") -> str:
    """When the next call of a blast, or of all, may begin; ends by itself soon after."""
    return f"{{calls}}:pace:{blast}"


def dialer(name: str) -> str:
    """That a dialer lives; ends by DIALER_TTL unless it says so again."""
    return f"{{calls}}:dialer:{name}"


def till(key_id: int) -> str:
    """Hash of what a till, an API key, asked of aliases, see till.lua; ends by TILL_TTL."""
    return f"{{till-{key_id}}}:lookups"


# One-time PINs share a slot: they are few by their own limits, and one function checks all of these.


def pin(shopper: str) -> str:
    """Hash of the PIN that proves a number: its digest, short number and tries; ends by `web.pin_ttl_s`."""
    return f"{{pins}}:pin:{shopper}"


def pins_for_number(shopper: str) -> str:
    """How many PINs were sent to a number; ends by PINS_WINDOW."""
    return f"{{pins}}:number:{shopper}"


def pins_from_address(digest: str) -> str:
    """How many PINs were asked for from an address, which stands as a digest; ends by PINS_WINDOW."""
    return f"{{pins}}:address:{digest}"


def pins_of_all() -> str:
    """How many PINs were sent at all; ends by PINS_WINDOW."""
    return "{pins}:all"


def pins_of_firm(firm: int) -> str:
    """How many PINs were sent from a firm's short numbers; ends by PINS_WINDOW."""
    return f"{{pins}}:firm:{firm}"
