"""Parts of version keys: numbers and texts whose byte order is their own order.

A number is one byte with its count of digits and then the digits without leading zeros; a list ends with ``END``, which
sorts before anything that could follow.
"""

END = "\0"
_MAX_DIGITS = 255
_KNOWN_NUMBERS = {str(n): chr(len(str(n))) + str(n) for n in range(3000)}


def number(digits: str) -> str:
    """Return the part for ASCII ``digits``, at least one of them.

    Raises:
        ValueError: it has more digits than any version has.
    """
    known = _KNOWN_NUMBERS.get(digits)
    if known is not None:
        return known
    bare = digits.lstrip("0") or "0"
    if len(bare) > _MAX_DIGITS:
        raise ValueError("a number longer than any version has")
    return chr(len(bare)) + bare


ZERO = number("0")


def numbers(dotted: str) -> str:
    """Return dotted numbers as a closed list; trailing zeros do not count."""
    parts = [number(part) for part in dotted.split(".")]
    while parts and parts[-1] == ZERO:
        parts.pop()
    return "".join(parts) + END
