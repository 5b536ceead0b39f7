"""Settings: every fault in one report, the environment over the file, secrets from files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.section import SettingsError
from config.settings import Settings, load
from tests.certificates import Authority


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("UNDERCAP_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def read(content: str) -> Settings:
    file = Path("my.toml")
    file.write_text(content, encoding="utf-8")
    return load(file)


def faults(content: str) -> list[str]:
    with pytest.raises(SettingsError) as told:
        read(content)
    return str(told.value).splitlines()


def test_defaults_are_good() -> None:
    settings = load()

    assert settings.sql_url == f"sqlite:///{(Path('var') / 'undercap.db').resolve()}"
    assert settings.links == ()


def test_all_faults_in_one_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCAP_REDDIS__URL", "x")
    monkeypatch.setenv("UNDERCAP_HTTP__PORT", "seventy")

    told = faults(
        """
        [limits]
        messages_per_minute = 0
        mesages = 3
        [codes]
        odds = 10
        [[smpp.links]]
        name = "Kyivstar"
        host = "10.0.0.1"
        system_id = "a-name-that-is-too-long"
        """
    )

    for word in (
        "UNDERCAP_REDDIS__URL: no such setting",
        "http.port: ",
        "limits.messages_per_minute: ",
        "limits.mesages: ",
        "codes.odds: ",
        "smpp.links.0.name: ",
        "smpp.links.0.system_id: ",
    ):
        assert sum(line.startswith(word) for line in told) == 1, (word, told)
    assert len(told) == 7


def test_faults_behind_faults_are_in_the_same_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCAP_HTTP__HOST", "")
    told = faults(
        """
        [http]
        public_url = "nonsense"
        operator_token = "short"
        [ivr]
        dial = true
        countries = ["ZZ"]
        [simulator]
        enabled = true
        http_port = -1
        [[smpp.links]]
        name = "one"
        host = "smsc.example.net"
        system_id = "us"
        default_region = "UK"
        fallbacks = ["two"]
        """
    )
    assert sorted(line.split(": ")[0] for line in told) == [
        "http",
        "http.host",
        "http.public_url",
        "ivr",
        "ivr.countries.0",
        "simulator.http_port",
        "smpp",  # a fallback that is no link
        "smpp.links.0.default_region",
    ]
    assert any("such as GB" in line for line in told)


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("smsc.example.net", True),
        ("10.0.0.1", True),
        ("[2001:db8::1]", True),
        ("::", True),
        ("my_host", True),
        (" ", False),
        ("smsc.example.net:2775", False),
        ("http://smsc.example.net", False),
        ("a..b", False),
        ("2001:db8::1::2", False),
    ],
)
def test_what_is_a_host(host: str, good: bool) -> None:
    content = f'[[smpp.links]]\nname = "one"\nsystem_id = "us"\nhost = "{host}"'
    if good:
        assert read(content).links[0].host == host.strip("[]")
    else:
        assert "no host name and no address" in faults(content)[0]


@pytest.mark.parametrize(
    "url",
    ["nonsense", "caps.example.net", "ftp://caps.example.net", "https://", "https://a b/", "http://h:x"],
)
def test_what_is_no_public_address(url: str) -> None:
    assert faults(f'[http]\npublic_url = "{url}"')[0].startswith("http.public_url: ")


def test_environment_wins_key_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCAP_LIMITS__MESSAGES_PER_MINUTE", "99")

    limits = read("[limits]\nmessages_per_minute = 5\nwrong_codes_per_hour = 7\n").limits

    assert (limits.messages_per_minute, limits.wrong_codes_per_hour) == (99, 7)


def test_file_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.toml").write_text("[http]\nport = 1234\n")
    monkeypatch.setenv("UNDERCAP_CONFIG", "other.toml")

    assert load().http.port == 1234


HOSTS = '[[smpp.links]]\nname = "kyiv"\nsystem_id = "x"\nhosts = '
LINK = '[[smpp.links]]\nname = "kyiv"\nhost = "x"\nsystem_id = "x"\n'


def test_password_from_a_file() -> None:
    Path("pw").write_text("s3cret\n")

    (link,) = read(LINK + 'password_file = "pw"\n').links

    assert link.password.get_secret_value() == "s3cret"


@pytest.mark.parametrize(("section", "key"), [("redis", "url"), ("redis", "queue_url"), ("sql", "url")])
def test_urls_with_passwords_from_files(section: str, key: str) -> None:
    Path("url").write_text("redis://:s3cret@host:6379/0\n")

    settings = read(f'[{section}]\n{key}_file = "url"\n')

    assert getattr(getattr(settings, section), key) == "redis://:s3cret@host:6379/0"


TLS = LINK + "tls = true\n"
BINDS = [
    pytest.param("", ("transceiver",), id="by default"),
    pytest.param('bind = "transceiver"\n', ("transceiver",), id="transceiver"),
    pytest.param('bind = "receiver+transmitter"\n', ("receiver", "transmitter"), id="pair"),
    pytest.param("transceivers = 2\n", ("transceiver",) * 2, id="two transceivers"),
    pytest.param("receivers = 1\n", ("receiver",), id="receiver"),
    pytest.param(
        'bind = "transceiver"\nreceivers = 2\ntransmitters = 1\n',
        ("receiver", "receiver", "transmitter"),
        id="counts beside the default",
    ),
]


@pytest.mark.parametrize(("said", "binds"), BINDS)
def test_binds_of_a_link(said: str, binds: tuple[str, ...]) -> None:
    (link,) = read(LINK + said).links

    assert link.binds == binds


def test_a_link_may_have_several_hosts() -> None:
    hosts = '["smsc.example.net:2776", "[2001:DB8::1]:2777", "2001:db8::2", "10.0.0.1"]'
    (link,) = read(HOSTS + hosts + "\nport = 2780\n").links
    expected = ["smsc.example.net:2776", "[2001:db8::1]:2777", "[2001:db8::2]:2780", "10.0.0.1:2780"]
    assert [str(address) for address in link.addresses] == expected


def test_hosts_may_be_ipv6_addresses() -> None:
    (link,) = read(LINK.replace('"x"', '"[2001:db8::1]"', 1) + 'local_host = "[2001:DB8::2]"\n').links

    assert (link.host, link.local_host) == ("2001:db8::1", "2001:db8::2")


def test_a_certificate_with_its_own_key_is_taken_and_another_key_is_not(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    ours, other = authority.identity("ours.example"), authority.identity("other.example")
    said = f'{TLS}tls_ca_file = "{authority.file}"\ntls_certificate_file = "{ours.certificate}"\n'

    (link,) = read(f'{said}tls_key_file = "{ours.key}"\n').links
    assert link.tls_key_file == ours.key
    (fault,) = faults(f'{said}tls_key_file = "{other.key}"\n')
    assert "its unencrypted key is not there" in fault


@pytest.mark.parametrize(
    ("given", "zero", "ucs2"),
    [
        pytest.param("", "gsm7", 8, id="as SMPP 3.4 has them"),
        pytest.param('default_alphabet = "latin1"', "latin1", 8, id="another default"),
        pytest.param('data_codings = { 0 = "latin1", 3 = "ucs2" }', "latin1", 8, id="8 as usual"),
        pytest.param('default_alphabet = "latin1"\ndata_codings = { 0 = "ascii" }', "ascii", 8, id="both"),
        pytest.param('data_codings = { 8 = "utf8", 0x19 = "ucs2", 0x18 = "ucs2" }', "gsm7", 0x18, id="not 8"),
        pytest.param('data_codings = { 8 = "utf8", 0 = "ucs2" }', "ucs2", 0, id="UCS-2 as the default"),
    ],
)
def test_data_codings_of_a_link(given: str, zero: str, ucs2: int) -> None:
    (link,) = read(LINK + given + "\n").links

    assert (zero, ucs2) == (link.zero_means, link.ucs2_coding)


FAULTS = [
    pytest.param(
        "[simulator]\nenabled = true\n" + LINK,
        "never beside [[smpp.links]]",
        id="simulator beside an operator",
    ),
    pytest.param(
        LINK + 'password_file = "nowhere"\n', "nowhere: cannot be read", id="password file is missing"
    ),
    pytest.param(LINK + 'password = "nine chars"\n', "eight characters at most", id="password too long"),
    pytest.param(LINK + 'data_codings = { 3 = "ucs-2" }', "'ucs2'", id="an alphabet that nobody knows"),
    pytest.param(LINK + 'data_codings = { 256 = "ucs2" }', "less than or equal", id="no such data_coding"),
    pytest.param(LINK + 'data_codings = { x = "ucs2" }', "int", id="a data_coding in words"),
    pytest.param(LINK + 'data_codings = { 8 = "gsm7" }', "no other value means ucs2", id="no UCS-2 left"),
    pytest.param(LINK + LINK, "two links have the same name", id="two links of one name"),
    pytest.param(
        LINK + 'bind = "receiver+transmitter"\ntransceivers = 1\n', "one or the other", id="binds said twice"
    ),
    pytest.param(LINK + "transceivers = 65\n", "less than or equal", id="more binds than anybody allows"),
    pytest.param(LINK + "interface_version = 0x35\n", "Input should be 51, 52 or 80", id="no SMPP version"),
    pytest.param(LINK + "dest_ton = 256\n", "less than or equal", id="TON of more than an octet"),
    pytest.param(LINK + "dest_npi = -1\n", "greater than or equal", id="NPI below zero"),
    pytest.param(LINK + 'prefixes = ["+380"]\n', "pattern", id="prefix with a plus"),
    pytest.param(LINK + 'prefixes = "380"\n', "tuple", id="prefixes that are no list"),
    pytest.param(LINK + "weight = 0\n", "greater than or equal", id="weight of nothing"),
    pytest.param(LINK.replace('"x"', '""', 1), "host: name it, or several in hosts", id="no host"),
    pytest.param(LINK + 'hosts = ["a"]\n', "host: beside hosts", id="host and hosts"),
    pytest.param(HOSTS + '["a:2775", "a"]\n', "hosts: two are the same", id="one host twice"),
    pytest.param(HOSTS + '["a:b"]\n', "its port is a number", id="a port that is none"),
    pytest.param(HOSTS + '["a:0"]\n', "its port is a number", id="port 0"),
    pytest.param(HOSTS + '["a..b:2775"]\n', "no host name and no address", id="no host before the port"),
    pytest.param(HOSTS + '["a"]\nspread = true\n', "spread: of no effect", id="nothing to spread over"),
    pytest.param(LINK + 'local_host = "eth0"\n', "IPv4 or IPv6 address", id="local host is no address"),
    pytest.param(LINK + f'address_range = "{"4" * 41}"\n', "at most 40", id="address range too long"),
    pytest.param(
        LINK + 'tls_server_hostname = "x"\n', "tls_server_hostname: of no effect without", id="TLS forgotten"
    ),
    pytest.param(LINK + "tls_verify = false\n", "without tls = true", id="verification of nothing given up"),
    pytest.param(TLS + 'tls_ca_file = "nowhere"\n', "nowhere: cannot be read", id="no CA file"),
    pytest.param(TLS + 'tls_ca_file = "my.toml"\n', "no certificate in PEM form", id="CA file without one"),
    pytest.param(TLS + 'tls_key_file = "my.toml"\n', "needs tls_certificate_file", id="key alone"),
    pytest.param(TLS + 'tls_certificate_file = "nowhere"\n', "cannot be read", id="no certificate"),
    pytest.param(TLS + 'tls_certificate_file = "my.toml"\n', "holds no certificate", id="not PEM"),
    pytest.param(
        TLS + 'tls_verify = false\ntls_ca_file = "my.toml"\n', "neither", id="authorities for no verification"
    ),
    pytest.param('[redis]\nurl_file = "nowhere"\n', "nowhere: cannot be read", id="url file is missing"),
    pytest.param("[limits]\nmessages_per_minute = 70000\n", "less than or equal", id="more than is counted"),
    pytest.param("[smpp]\nreassembly_timeout_s = inf\n", "finite", id="a time without end"),
    pytest.param('[redis]\nurl = "http://x"\n', "must begin with redis://", id="no Redis URL"),
    pytest.param('[sql]\nurl = "undercap.db"\n', "SQLAlchemy URL", id="no SQL URL"),
    pytest.param('[redis]\nembedded_maxmemory = "0\\nappendonly no"\n', "pattern", id="two directives"),
    pytest.param("[limits", "is not TOML", id="not TOML"),
    pytest.param("limits = 3", "limits: ", id="a section that is none"),
    pytest.param("strange = 3", "strange: ", id="an unknown key"),
]


@pytest.mark.parametrize(("content", "told"), FAULTS)
def test_single_faults(content: str, told: str) -> None:
    (fault,) = faults(content)

    assert told in fault


def test_no_fault_tells_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCAP_SMPP__LINKS", '[{"password": "very-s3cret"')

    told = faults(LINK + 'password = "also-s3cret"\nport = 99999\n')

    assert "s3cret" not in "\n".join(told)


def test_secrets_are_not_in_the_repr() -> None:
    settings = read(LINK + 'password = "s3cret"\n[sql]\nurl = "postgresql://u:hidden@h/d"\n')

    assert "s3cret" not in repr(settings.smpp)


def test_file_that_is_missing_or_unreadable() -> None:
    with pytest.raises(SettingsError, match=r"no\.toml: cannot be read"):
        load(Path("no.toml"))
    Path("bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not TOML"):
        load(Path("bad.toml"))
