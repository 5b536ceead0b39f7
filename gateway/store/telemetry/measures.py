"""Everything that is measured. Labels are words of closed sets and names of links, never numbers or codes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measure:
    """What is measured. `sort`: counter, histogram (seconds), or gauge_<mode> as prometheus_client says."""

    name: str
    told: str
    sort: str = "counter"
    labels: tuple[str, ...] = ()


def _counter(name: str, told: str, *labels: str) -> Measure:
    return Measure(name=f"undercap_{name}", told=told, labels=labels)


def _histogram(name: str, told: str, *labels: str) -> Measure:
    return Measure(name=f"undercap_{name}", told=told, sort="histogram", labels=labels)


def _gauge(name: str, told: str, *labels: str, mode: str = "livesum") -> Measure:
    return Measure(name=f"undercap_{name}", told=told, sort=f"gauge_{mode}", labels=labels)


BUILD_INFO = _gauge("build_info", "1, of the version that runs", "version", "python", mode="livemax")
TEXTS = _counter("texts", "Texts by link and what became of them", "link", "outcome")
CLAIMS = _counter("claims", "Codes in accepted texts by what the claim said", "channel", "result")
OUTCOMES = _counter("outcomes", "Outcomes of settled texts", "channel", "outcome")
RESPONSE_S = _histogram("response_seconds", "From a text's arrival to its deliver_sm_resp", "link")
ANSWERS = _counter("answers", "Answers by link and how their submit ended", "link", "state")
DOUBLED = _counter("answers_possibly_doubled", "Answers submitted again after an unknown outcome", "link")
SILENCED = _counter("replies_silenced", "Settled texts that got no answer", "channel")
RECEIPTS = _counter("receipts", "Delivery receipts by link and state", "link", "state")
RECEIPT_OUTCOMES = _counter(
    "receipt_outcomes",
    "Delivery receipts by what came of them: matched, learned, unmatched, ambiguous, late or unreadable",
    *("link", "outcome"),
)
SMPP = _counter("smpp_events", "What happened on the sessions of a link", "link", "event")
LINK_BOUND = _gauge("link_bound", "1 where the link to an SMSC stands", "link", mode="livemax")
LINK_LOAD = (  # in the order of smpp.session.counters.Load
    _gauge("link_unanswered", "Messages from the SMSC that wait for our response", "link"),
    _gauge("link_in_flight", "Submits that wait for the SMSC's response", "link"),
    _gauge("link_window", "Submits that may be in flight on what is bound now", "link"),
    _gauge("link_resting", "Sessions that are not read because too much waits", "link"),
    _gauge("link_unwritten_octets", "Octets for the SMSC that the network has not taken", "link"),
)
INTAKE_WAITING = _gauge("intake_waiting", "Messages that wait to be decided")
SENDER_WAITING = _gauge("sender_waiting", "Answers taken for submission and not ended", "link")
BATCHES = _counter("settlement_batches", "Batches written to the ledger")
SETTLED = _counter("settled_texts", "Texts written to the ledger")
BATCH_S = _histogram("settlement_batch_seconds", "One batch: SQL transaction, then its end in Redis")
SETTLED_AFTER_S = _histogram("settled_after_seconds", "Age of the oldest text of a batch when it was settled")
DEAD = _counter("dead_letters_added", "Texts that could not be settled and were laid aside")
LEDGER_AWAY = _counter("ledger_away", "Settlements put off because the database did not answer")
OPENINGS = _counter("vault_openings", "Values that the vault opened, by purpose", "purpose")
NUDGES = _counter("nudges", "Settlements asked of the queue", "by")
REQUESTS = _counter("http_requests", "HTTP requests by route and status", "route", "status")
REQUEST_S = _histogram("http_request_seconds", "HTTP requests by route", "route")
CONNECTIONS_DROPPED = _counter(
    "http_connections_dropped",
    "Connections given up: silent, too many of one address, too many at all",
    "why",
)
ALIAS_LOOKUPS = _counter(
    "alias_lookups",
    "Aliases that tills asked for: found, unknown, mistyped, which budget was spent, or crowded (at once)",
    "result",
)
TILLS_STOPPED = _counter("tills_stopped", "Times that a till asked for too many aliases that nobody has")
PINS = _counter("web_pins", "One-time PINs by what became of the wish or the try", "outcome")
OFFERS = _counter("offers", "Recipients of blasts by what was made of them and why", "fate", "reason")
OFFER_BATCHES = _counter("offer_batches", "Batches of recipients written by the fan-out")
CALLS = _counter(
    "calls", "Calls by how they ended, how the caller was seen, and language", "outcome", "caller", "language"
)
CALL_KEYS = _counter("call_keys", "Keys pressed in the menus", "key")
CALL_SERVICES = _counter("call_services", "Calls that used a service", "service")
CALL_SECONDS = _counter("call_seconds", "Seconds talked, from the answer to the end")
CALLS_NOW = _gauge("calls_now", "Calls that Asterisk has handed to us")
OFFER_CALLS = _counter("offer_calls", "Calls of blasts by what came of them", "outcome")
OFFER_CALLS_NOW = _gauge("offer_calls_now", "Calls of blasts that are begun and have no end yet")
DIAL_SHARE = _gauge(
    "dial_share", "The share of its calls a second that a dialer takes: 1 without congestion", mode="livemax"
)
AMI_UP = _gauge("ami_up", "1 where a session with Asterisk's manager interface stands", mode="livemax")
AMI_QUIET_S = _gauge("ami_quiet_seconds", "Since the last event of Asterisk, or the start", mode="livemax")
AMI_RECONNECTS = _counter("ami_reconnects", "Sessions with the manager interface beside a process's first")
AMI_REFUSED = _counter("ami_logins_refused", "Logins that Asterisk refused")
AMI_STRAYS = _counter(
    "ami_strays", "Events that Asterisk's filter should have held back; nothing is done of them"
)
AGI_FAULTS = _counter("agi_faults", "FastAGI connections given up, by cause", "cause")


def _of_process(name: str, told: str, sort: str) -> Measure:
    """As Prometheus' clients name them; what several processes of one kind have is added up."""
    return Measure(name=f"process_{name}", told=told, sort=sort, labels=("process",))


CPU_SECONDS = _of_process("cpu_seconds", "User and system CPU time spent", "counter")
PROCESS_GAUGES = (
    _of_process("resident_memory_bytes", "Resident memory", "gauge_livesum"),
    _of_process("virtual_memory_bytes", "Virtual memory", "gauge_livesum"),
    _of_process("open_fds", "Open file descriptors", "gauge_livesum"),
    _of_process("max_fds", "Most file descriptors that may be open", "gauge_livesum"),
    _of_process("start_time_seconds", "Start of the youngest, in seconds since 1970", "gauge_livemax"),
)
