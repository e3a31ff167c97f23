"""JSON objects as they arrive, one after the other: one a line, or spread over lines as kubectl prints them.

What is broken is told and passed over: the next object begins at the start of a line. Nothing is held back: an object
is given out with the piece that ends it.
"""

import re

import msgspec

_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\[^\n])*+"|"|\n(?=\{)|[{}\[\]]')
_EVENT = re.compile(rb'\{\s*"type"\s*:\s*"(?:ADDED|MODIFIED|DELETED|BOOKMARK|ERROR)"')
_OPENING, _CLOSING = b"{[", b"}]"
_LINE_BREAK = 0x0A
_LOOK = 64
_SHOWN = 60
_MOST = 128 * 1024 * 1024


class Broken(msgspec.Struct, frozen=True):
    """A part of the stream that is no object, and why."""

    why: str


class Objects:
    """Takes a stream apart. ``most`` bytes may stand between the beginning of an object and its end."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._held = bytearray()
        self._at = 0
        self._depth = 0
        self._doubtful = 0
        self._lost = False

    def feed(self, piece: bytes) -> list[bytes | Broken]:
        """Return what is whole with ``piece``, in order."""
        self._held += piece
        found: list[bytes | Broken] = []
        while (one := self._next()) is not None:
            found.append(one)
        if len(self._held) > self._most:
            found.append(self._give_up(len(self._held), f"more than {self._most} bytes without an end"))
        return found

    def finish(self) -> list[Broken]:
        """Return what the end of the stream left unfinished: nothing, or one part."""
        rest = b"" if self._lost else bytes(self._held[:_SHOWN]).strip()
        self._held.clear()
        return [Broken(f"the stream ends inside of {_text(rest)}")] if rest else []

    def _next(self) -> bytes | Broken | None:
        if self._lost and not self._find_line():
            return None
        if self._at == 0:
            self._skip_space()
            if not self._held:
                return None
            if self._held[:1] != b"{":
                return self._refuse_line()
            line = self._whole_line()
            if line is not None:
                return line
        return self._scan()

    def _find_line(self) -> bool:
        """Go on at the next line that begins an object; the rest of what is broken is told no more."""
        start = self._held.find(b"\n{")
        if start < 0:
            # A line break that came last is kept until it is known what follows it.
            del self._held[: len(self._held) - self._held.endswith(b"\n")]
            return False
        del self._held[: start + 1]
        self._lost = False
        return True

    def _skip_space(self) -> None:
        del self._held[: len(self._held) - len(self._held.lstrip())]

    def _refuse_line(self) -> Broken | None:
        end = self._held.find(b"\n")
        if end < 0:
            return None
        return self._give_up(end, f"{_text(bytes(self._held[:_SHOWN]))} begins no object")

    def _whole_line(self) -> bytes | None:
        # Most streams give an object a line: those are told apart without looking at their characters one by one.
        end = self._held.find(b"\n")
        line = bytes(self._held[:end]).rstrip() if end > 0 else b""
        if not line.endswith(b"}") or not _is_json(line):
            return None
        del self._held[:end]
        return line

    def _scan(self) -> bytes | Broken | None:
        found = self._find_end()
        if found is None:
            return None
        end, why = found
        return self._give_up(end, why) if why else self._take(end)

    def _find_end(self) -> tuple[int, str] | None:
        """Return where the open object ends, and why it is broken if it is; None when that is still to come."""
        if self._doubtful and _EVENT.match(self._held, self._doubtful + 1):
            return self._doubtful, self._without_end()
        for token in _TOKEN.finditer(self._held, self._at):
            start, first = token.start(), self._held[token.start()]
            if first in _OPENING:
                self._depth += 1
            elif first in _CLOSING:
                self._depth -= 1
                if self._depth == 0:
                    return token.end(), ""
            elif first == _LINE_BREAK:
                if self._begins_anew(start):
                    return start, self._without_end()
            elif token.end() == start + 1:
                return self._find_end_of_text(start)
            self._at = token.end()
        # A line break that came last is looked at again when it is known what follows it.
        self._at = max(self._at, len(self._held) - 1) if self._held[-1:] == b"\n" else len(self._held)
        return None

    def _find_end_of_text(self, start: int) -> tuple[int, str] | None:
        self._at = start
        end = self._held.find(b"\n", start)
        if end < 0:
            return None
        return end, f"{_text(bytes(self._held[start : start + _SHOWN]))} is a text without an end"

    def _begins_anew(self, line_break: int) -> bool:
        """Whether the object at the start of the next line cannot be a part of the one that is open."""
        before = bytes(self._held[max(line_break - _LOOK, 0) : line_break]).rstrip()[-1:]
        if before not in (b"", b"[", b",", b":") or _EVENT.match(self._held, line_break + 1):
            return True
        # It may be an inner one. Nothing is held back for that: what arrives next will tell.
        self._doubtful = line_break
        return False

    def _without_end(self) -> str:
        return f"{_text(bytes(self._held[:_SHOWN]))} has no end"

    def _take(self, end: int) -> bytes:
        data = bytes(self._held[:end])
        self._forget(end)
        return data

    def _give_up(self, end: int, why: str) -> Broken:
        self._forget(end)
        self._lost = True
        return Broken(why)

    def _forget(self, end: int) -> None:
        del self._held[:end]
        self._at = self._depth = self._doubtful = 0


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def _text(data: bytes) -> str:
    return repr(data.split(b"\n")[0].decode("utf-8", "replace"))
