"""Versions of RubyGems, Packagist, Hackage and CRAN.

Source: ``Gem::Version`` (rubygems); ``version_compare`` of PHP and ``VersionParser::normalize`` of composer/semver;
``Data.Version`` (base) and the Cabal package description; ``package_version`` (R).
"""

import re

from safeconduct.model.version_parts import END, number

# --- RubyGems ---------------------------------------------------------------------------------------------------------

_GEM_VERSION = re.compile(r"[0-9]+(?:\.[0-9a-z]+)*(?:-[0-9a-z-]+(?:\.[0-9a-z-]+)*)?", re.IGNORECASE | re.ASCII)
_GEM_SEGMENTS = re.compile(r"[0-9]+|[a-z]+", re.IGNORECASE)
_GEM_TEXT, _GEM_ZERO_DOWN, _GEM_STOP, _GEM_ZERO_UP, _GEM_NUMBER = "\x01", "\x02", "\x03", "\x04", "\x05"


def gem(version: str) -> str | None:
    """Return the key of a gem's version: a letter makes a pre-release, what is missing is zero."""
    text = version.strip()
    if not _GEM_VERSION.fullmatch(text):
        return None
    return _gem_key(_GEM_SEGMENTS.findall(text.replace("-", ".pre.")))


def _gem_key(segments: list[str]) -> str:
    """An endless list of zeros follows; so a zero sorts by what comes behind it: a text, nothing, a number."""
    first_text = next((i for i, s in enumerate(segments) if not s[0].isdigit()), len(segments))
    kept = _without_trailing_zeros(segments[:first_text]) + _without_trailing_zeros(segments[first_text:])
    parts, behind = [_GEM_STOP], ""
    for segment in reversed(kept):
        if not segment[0].isdigit():
            behind, part = _GEM_ZERO_DOWN, _GEM_TEXT + segment + END
        elif segment.strip("0"):
            behind, part = _GEM_ZERO_UP, _GEM_NUMBER + number(segment)
        else:
            part = behind
        parts.append(part)
    return "".join(reversed(parts))


def _without_trailing_zeros(segments: list[str]) -> list[str]:
    while segments and not segments[-1].strip("0"):
        segments = segments[:-1]
    return segments


# --- Packagist --------------------------------------------------------------------------------------------------------

_COMPOSER_VERSION = re.compile(r"[vV]?(?P<text>[0-9][0-9A-Za-z._+~-]*)", re.ASCII)
_COMPOSER_RELEASE = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}")
_COMPOSER_TOKENS = re.compile(r"[0-9]+|[A-Za-z~]+")
_COMPOSER_WORDS = (("dev", "\x02"), ("a", "\x03"), ("b", "\x04"), ("rc", "\x05"), ("RC", "\x05"), ("p", "\x08"))
_COMPOSER_OTHER, _COMPOSER_STOP, _COMPOSER_NUMBER = "\x01", "\x06", "\x07"


def composer(version: str) -> str | None:
    """Return the key of a Packagist version; a branch (``dev-master``, ``2.x-dev``) is no version and has none.

    The order is ``version_compare``'s after Composer's own normalising: the release has four numbers, so ``1.0`` and
    ``1.0.0`` are one version, and what stands behind a ``+`` does not count.
    """
    found = _COMPOSER_VERSION.fullmatch(version.strip())
    if found is None or _COMPOSER_BRANCH.search(found["text"]):
        return None
    text = found["text"].partition("+")[0]
    release = _COMPOSER_RELEASE.match(text)
    if release is None:
        return None
    key = "".join(_COMPOSER_NUMBER + number(n) for n in _four(release.group().split(".")))
    return key + "".join(map(_composer_token, _COMPOSER_TOKENS.findall(text[release.end() :]))) + _COMPOSER_STOP


_COMPOSER_BRANCH = re.compile(r"(?:^|[.-])[xX](?:[.-]|$)")


def _four(numbers: list[str]) -> list[str]:
    return numbers + ["0"] * (4 - len(numbers))


def _composer_token(token: str) -> str:
    if token[0].isdigit():
        return _COMPOSER_NUMBER + number(token)
    return next((code for word, code in _COMPOSER_WORDS if token.startswith(word)), _COMPOSER_OTHER)


# --- Lists of numbers -------------------------------------------------------------------------------------------------

_HACKAGE_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_CRAN_VERSION = re.compile(r"[0-9]+(?:[.-][0-9]+)*")
_MORE = "\x01"


def hackage(version: str) -> str | None:
    """Return the key of a list of numbers; a longer one is after its own beginning (``1.0`` before ``1.0.0``)."""
    return _list(version.split(".")) if _HACKAGE_VERSION.fullmatch(version) else None


def cran(version: str) -> str | None:
    """Return the key of an R package's version: numbers between dots and dashes, which are the same."""
    text = version.strip()
    return _list(re.split("[.-]", text)) if _CRAN_VERSION.fullmatch(text) else None


def _list(digits: list[str]) -> str:
    return "".join(_MORE + number(part) for part in digits) + END
