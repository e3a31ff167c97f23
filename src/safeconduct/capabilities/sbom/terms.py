"""Which licence texts may stand as an SPDX expression in a document; all others are names."""

from functools import lru_cache

from license_expression import Licensing, get_spdx_licensing


@lru_cache(maxsize=65_536)
def is_expression(text: str) -> bool:
    """Return whether ``text`` is an SPDX expression whose ids are all known or ``LicenseRef-``."""
    try:
        parsed = _licensing().parse(text, validate=False, strict=True)
        unknown = _licensing().unknown_license_keys(parsed)
    except Exception:  # noqa: BLE001 - on junk the parser fails with whatever it stumbles over (IndexError, TypeError)
        return False
    return parsed is not None and all(key.startswith("LicenseRef-") for key in unknown)


@lru_cache(maxsize=1)
def _licensing() -> Licensing:
    return get_spdx_licensing()
