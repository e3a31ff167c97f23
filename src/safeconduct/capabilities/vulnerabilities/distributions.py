"""Distributions: under which release and which name an operating system package's advisories stand.

A distribution patches the same source package differently in each release, so the release is part of the name:
``pkg:deb/debian/openssl?distro=debian-12`` is source package openssl of ``Debian:12``. Most advisories name source
packages; AlmaLinux and Red Hat name each built package. A component says its source in ``upstream``, with the source's
version where it differs (``upstream=gcc-12@12.2.0-14``); where nothing is said, both are the component's own.

Source: OSV schema, "Defined ecosystems"; os-release(5); package-url types deb, apk, rpm; the ``distro`` and
``upstream`` qualifiers as Syft writes them.
"""

import re
from collections.abc import Callable

import msgspec

from safeconduct.model.purl import Purl


class Distribution(msgspec.Struct, frozen=True):
    """One distribution.

    Attributes:
        ecosystem: OSV's name, without release.
        release: gives OSV's suffix for what follows the name in ``distro``; None for a release that is none. None
            itself: the distribution has no releases.
        names_built: whether its advisories name built packages and not their sources.
    """

    ecosystem: str
    kind: str
    space: str
    release: Callable[[str], str | None] | None
    names_built: bool = False


class Source(msgspec.Struct, frozen=True):
    """What to ask about a component: OSV's ecosystem with its release, the package's base, the version to compare."""

    ecosystem: str
    base: str
    version: str


_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_DEBIAN_WITH_MINOR = 7
_CODENAMES = {
    "squeeze": "6.0",
    "wheezy": "7",
    "jessie": "8",
    "stretch": "9",
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "trusty": "14.04",
    "xenial": "16.04",
    "bionic": "18.04",
    "focal": "20.04",
    "jammy": "22.04",
    "noble": "24.04",
}


def _major(text: str) -> str | None:
    found = _NUMBERS.match(text)
    return found.group().partition(".")[0] if found else None


def _debian(text: str) -> str | None:
    found = _NUMBERS.match(_CODENAMES.get(text, text))
    if found is None:
        return None
    major, _, minor = found.group().partition(".")
    return major if int(major) >= _DEBIAN_WITH_MINOR else f"{major}.{minor.partition('.')[0] or 0}"


def _ubuntu(text: str) -> str | None:
    found = re.match(r"([0-9]+)\.([0-9]+)", _CODENAMES.get(text, text))
    if found is None:
        return None
    is_long = int(found[1]) % 2 == 0 and found[2] in {"04", "06"}
    return found.group() + (":LTS" if is_long else "")


def _alpine(text: str) -> str | None:
    found = re.match(r"([0-9]+\.[0-9]+)(?:\.[0-9]+)*", text)
    # A snapshot (3.21.0_alpha20240807) is of no release yet.
    return f"v{found[1]}" if found and found.end() == len(text) else None


def _two_numbers(text: str) -> str | None:
    found = re.match(r"[0-9]+\.[0-9]+", text)
    return found.group() if found else None


def _opensuse(text: str) -> str | None:
    if text.startswith("tumbleweed"):
        return "Tumbleweed"
    release = _two_numbers(text.removeprefix("leap-"))
    return f"Leap {release}" if release else None


_ALL = (
    Distribution("Debian", "deb", "debian", _debian),
    Distribution("Ubuntu", "deb", "ubuntu", _ubuntu),
    Distribution("Echo", "deb", "echo", None),
    Distribution("Alpine", "apk", "alpine", _alpine),
    Distribution("Alpaquita", "apk", "alpaquita", _two_numbers),
    Distribution("Wolfi", "apk", "wolfi", None),
    Distribution("Chainguard", "apk", "chainguard", None),
    Distribution("MinimOS", "apk", "minimos", None),
    Distribution("AlmaLinux", "rpm", "almalinux", _major, names_built=True),
    Distribution("Rocky Linux", "rpm", "rocky", _major),
    Distribution("openSUSE", "rpm", "opensuse", _opensuse),
    Distribution("Mageia", "rpm", "mageia", _major),
    Distribution("Azure Linux", "rpm", "azurelinux", _major),
)
# Red Hat, SUSE and openEuler name products (enterprise_linux:9::baseos), which no component says of itself: their
# records are read, and a component of theirs stays "could not tell".
_BY_PRODUCT = {"Red Hat": ("rpm", "redhat"), "SUSE": ("rpm", "suse"), "openEuler": ("rpm", "openeuler")}
_BY_ECOSYSTEM = {d.ecosystem: d for d in _ALL}
_BY_PURL = {(d.kind, d.space): d for d in _ALL}
_SAME_SPACE = {"rocky-linux": "rocky", "rockylinux": "rocky", "alma": "almalinux", "mariner": "azurelinux"}
_SOURCE_RPM = re.compile(r"(?P<name>.+)-(?P<version>[^-]+-[^-]+)\.(?:no)?src\.rpm")


def is_distribution(ecosystem: str) -> bool:
    """Return whether ``ecosystem`` (without release) is one whose releases are judged apart."""
    return ecosystem in _BY_ECOSYSTEM or ecosystem in _BY_PRODUCT


def release_base(ecosystem: str, name: str) -> str:
    """Return the base of the package ``name`` of ``ecosystem``, OSV's name with its release suffix.

    Raises:
        KeyError: the ecosystem is no distribution.
    """
    root, _, release = ecosystem.partition(":")
    if root in _BY_PRODUCT:
        kind, space = _BY_PRODUCT[root]
        return _base(kind, space, name, release)
    found = _BY_ECOSYSTEM[root]
    return _base(found.kind, found.space, name, _word(release))


def source_of(purl: Purl) -> Source | None:
    """Return what to ask about an operating system package; None when its distribution or release is not known."""
    space = _SAME_SPACE.get(purl.namespace, purl.namespace)
    found = _BY_PURL.get((purl.type, space))
    if found is None:
        return None
    qualifiers = dict(purl.qualifiers)
    release = _release(found, qualifiers.get("distro", "").lower())
    if release is None:
        return None
    own = _with_epoch(purl.version, qualifiers.get("epoch", ""))
    name, version = (purl.name, own) if found.names_built else _upstream(purl.name, own, qualifiers)
    ecosystem = f"{found.ecosystem}:{release}" if release else found.ecosystem
    return Source(ecosystem, _base(found.kind, found.space, name, _word(release)), version)


def _release(found: Distribution, distro: str) -> str | None:
    """OSV's suffix; empty for a distribution without releases, None where the component's cannot be told."""
    if found.release is None:
        return ""
    # ``debian-12``, ``opensuse-leap-15.5``, ``bookworm`` and ``rocky-linux-8-4-legacy`` occur.
    for name in (found.space, *(n for n, space in _SAME_SPACE.items() if space == found.space), "rhel"):
        if distro.startswith(f"{name}-"):
            return found.release(distro.removeprefix(f"{name}-"))
    return found.release(distro)


def _upstream(name: str, version: str, qualifiers: dict[str, str]) -> tuple[str, str]:
    written = qualifiers.get("upstream", "")
    archive = _SOURCE_RPM.fullmatch(written)
    if archive is not None:
        return archive["name"], _with_epoch(archive["version"], qualifiers.get("epoch", ""))
    source, _, other = written.partition("@")
    return source or name, _with_epoch(other, qualifiers.get("epoch", "")) if other else version


def _with_epoch(version: str, epoch: str) -> str:
    return f"{epoch}:{version}" if version and epoch.strip("0") and ":" not in version else version


def _word(release: str) -> str:
    """The suffix as it stands in ``distro``: v3.18, 22.04:LTS and Leap 15.5 are 3.18, 22.04 and leap-15.5."""
    return re.sub(r"^v(?=[0-9])|:LTS$", "", release).lower().replace(" ", "-")


def _base(kind: str, space: str, name: str, release: str) -> str:
    return str(Purl(kind, space, name.lower(), "", (("distro", f"{space}-{release}"),) if release else ()))
