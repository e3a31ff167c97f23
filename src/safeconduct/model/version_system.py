"""Versions of operating system packages: Debian and Ubuntu, the RPM family, Alpine and its relatives, opam.

Source: deb-version(7), Debian policy 5.6.12 and dpkg's ``lib/dpkg/version.c``; rpm's ``rpmio/rpmvercmp.cc`` and
``parseEVR``; apk-tools ``doc/apk-package.5`` and ``src/version.c``; the opam manual, "Version ordering".
"""

import re

from safeconduct.model.version_parts import END, number

# --- Debian -----------------------------------------------------------------------------------------------------------

_DPKG_VERSION = re.compile(
    r"(?:(?P<epoch>[0-9]+):)?(?P<upstream>[0-9A-Za-z.+~:-]+?)(?:-(?P<revision>[0-9A-Za-z.+~]+))?"
)
_RUNS = re.compile(r"([^0-9]*)([0-9]*)")
_MAX_EPOCH = 2**31 - 1
_TILDE, _STOP = "\x01", "\x02"
_NOTHING_MORE = _STOP + number("0")
_DPKG_ORDER = {ord(c): chr(ord(c) + 128) for c in map(chr, range(33, 127)) if not c.isalnum()} | {ord("~"): _TILDE}


def dpkg(version: str) -> str | None:
    """Return the key of ``[epoch:]upstream[-revision]``; a version without revision is the one with revision 0."""
    found = _DPKG_VERSION.fullmatch(version.strip(" \t\n"))
    if found is None or found["upstream"][-1] == "-" or (found["epoch"] is None and ":" in found["upstream"]):
        return None
    epoch = found["epoch"] or "0"
    if len(epoch) > len(str(_MAX_EPOCH)) or int(epoch) > _MAX_EPOCH:
        return None
    return number(epoch) + _dpkg_part(found["upstream"]) + _dpkg_part(found["revision"] or "")


def opam(version: str) -> str | None:
    """Return the key of an opam version: Debian's order over the whole text, without epoch and revision."""
    return _dpkg_part(version) if _OPAM_VERSION.fullmatch(version) else None


_OPAM_VERSION = re.compile(r"[0-9A-Za-z.+~_-]+")


def _dpkg_part(text: str) -> str:
    """Texts and numbers by turns; within a text ``~`` is before its end, letters before all other signs."""
    runs = [word.translate(_DPKG_ORDER) + _STOP + number(digits or "0") for word, digits in _RUNS.findall(text)]
    while runs and runs[-1] == _NOTHING_MORE:
        runs.pop()
    return "".join(runs or [_NOTHING_MORE]) + _STOP


# --- RPM --------------------------------------------------------------------------------------------------------------

_RPM_EPOCH = re.compile(r"([0-9]*):(.*)", re.DOTALL)
_RPM_TOKENS = re.compile(r"[0-9]+|[A-Za-z]+|[~^]")
_RPM_TILDE, _RPM_STOP, _RPM_CARET, _RPM_TEXT, _RPM_NUMBER = "\x01", "\x02", "\x03", "\x04", "\x05"


def rpm(version: str) -> str | None:
    """Return the key of ``[epoch:]version[-release]``; without epoch it is 0, signs only separate."""
    text = version.strip()
    found = _RPM_EPOCH.fullmatch(text)
    epoch, rest = found.groups() if found else ("0", text)
    name, dash, release = rest.rpartition("-")
    if not dash:
        name, release = rest, ""
    if not name or (dash and not release) or any(c.isspace() for c in rest):
        return None
    return number(epoch or "0") + _rpm_part(name) + _rpm_part(release)


def _rpm_part(text: str) -> str:
    return "".join(map(_rpm_token, _RPM_TOKENS.findall(text))) + _RPM_STOP


def _rpm_token(word: str) -> str:
    if word == "~":
        return _RPM_TILDE
    if word == "^":
        return _RPM_CARET
    return _RPM_NUMBER + number(word) if word[0].isdigit() else _RPM_TEXT + word + END


# --- Alpine -----------------------------------------------------------------------------------------------------------

_APK_VERSION = re.compile(
    r"""(?P<first>[0-9]+)(?P<rest>(?:\.[0-9]+)*)(?P<letter>[a-z])?
    (?P<suffixes>(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)
    (?:~(?P<commit>[0-9a-f]+))?(?:-r(?P<revision>[0-9]+))?""",
    re.VERBOSE,
)
_APK_SUFFIX = re.compile(r"_([a-z]+)([0-9]*)")
_APK_STOP, _APK_REVISION, _APK_COMMIT, _APK_SUFFIX_NUMBER = "\x05", "\x06", "\x07", "\x08"
_APK_LETTER, _APK_NUMBER = "\x0e", "\x0f"
_APK_SUFFIXES = {
    "alpha": "\x01",
    "beta": "\x02",
    "pre": "\x03",
    "rc": "\x04",
    "cvs": "\x09",
    "svn": "\x0a",
    "git": "\x0b",
    "hg": "\x0c",
    "p": "\x0d",
}


def apk(version: str) -> str | None:
    """Return the key of ``number{.number}{letter}{_suffix{number}}{~commit}{-rN}``."""
    found = _APK_VERSION.fullmatch(version.strip())
    if found is None:
        return None
    key = number(found["first"]) + "".join(_APK_NUMBER + _apk_number(n) for n in found["rest"].split(".")[1:])
    if found["letter"]:
        key += _APK_LETTER + found["letter"]
    for word, digits in _APK_SUFFIX.findall(found["suffixes"]):
        key += _APK_SUFFIXES[word] + (_APK_SUFFIX_NUMBER + number(digits) if digits else "")
    if found["commit"]:
        key += _APK_COMMIT + found["commit"] + END
    return key + (_APK_REVISION + number(found["revision"]) if found["revision"] else "") + _APK_STOP


def _apk_number(digits: str) -> str:
    # Behind the first one a number with a leading zero is a decimal place: compared as text, before all others.
    return END + digits + END if digits[0] == "0" else number(digits)
