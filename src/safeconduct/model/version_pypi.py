"""Versions of PyPI.

Source: PEP 440, as the Python packaging user guide keeps it ("Version specifiers").
"""

import re

from safeconduct.model.version_parts import END, number, numbers

_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_PEP440 = re.compile(
    r"""v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>[0-9]*))?
    (?:-(?P<post_dash>[0-9]+)|(?P<post>[-_.]?(?:post|rev|r)[-_.]?(?P<post_n>[0-9]*)))?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_n>[0-9]*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PRE = {"a": "\x02", "alpha": "\x02", "b": "\x03", "beta": "\x03"}
_RC = "\x04"
_DEV_ONLY, _FINAL = "\x01", "\x05"
_NO_POST, _POST = "\x01", "\x02"
_DEV, _NO_DEV = "\x01", "\x02"
_NO_LOCAL, _LOCAL = "\x01", "\x02"
_TEXT, _NUMERIC = "\x01", "\x02"
_PLAIN_RELEASE = _FINAL + _NO_POST + _NO_DEV + _NO_LOCAL
_LOCAL_SEPARATORS = re.compile(r"[-_.]")


def pypi(version: str) -> str | None:
    """Return the key of a version of PEP 440; None for anything else."""
    if _DOTTED.fullmatch(version):
        return "\x010" + numbers(version) + _PLAIN_RELEASE
    found = _PEP440.fullmatch(version.strip())
    if found is None:
        return None
    pre, dev = found["pre"], found["dev"]
    post = found["post_dash"] or (found["post"] and (found["post_n"] or "0"))
    if pre is not None:
        stage = _PRE.get(pre.lower(), _RC) + number(found["pre_n"] or "0")
    else:
        stage = _DEV_ONLY if dev and post is None else _FINAL
    return (
        number(found["epoch"] or "0")
        + numbers(found["release"])
        + stage
        + (_NO_POST if post is None else _POST + number(post))
        + (_NO_DEV if dev is None else _DEV + number(found["dev_n"] or "0"))
        + _local(found["local"])
    )


def _local(text: str | None) -> str:
    if text is None:
        return _NO_LOCAL
    parts = _LOCAL_SEPARATORS.split(text.lower())
    return _LOCAL + "".join(_NUMERIC + number(p) if p.isdigit() else _TEXT + p + END for p in parts) + END
