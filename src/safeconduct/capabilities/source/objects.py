"""Git objects, parsed from raw bytes by a strict grammar; each id is recomputed from its bytes.

Lenient parsers disagree about doubled headers, and that difference has been used to show one author to the
verifier and another to the reader. So: every header once, in order, or the object is refused.

Source: git's object format; ``gpgsig`` as written by git commit.
"""

import hashlib
import re

import msgspec

from safeconduct.foundation.errors import Refused
from safeconduct.model.commit import Commit

_PERSON = re.compile(rb"(?P<who>[^\n\0]*<[^<>\n]*>) (?P<time>\d{1,12}) [+-]\d{4}")
_HEX = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HASHES = {40: hashlib.sha1, 64: hashlib.sha256}
_EXTRA = frozenset({b"encoding", b"mergetag", b"HG:extra", b"HG:rename-source", b"change-id"})


class TreeEntry(msgspec.Struct, frozen=True):
    """One row of a tree object: ``mode`` as git writes it (``100644``, ``40000`` …)."""

    mode: str
    name: str
    id: str


def check_id(object_id: str, kind: str, body: bytes) -> None:
    """Return nothing when ``object_id`` is the id of these bytes.

    Raises:
        Refused: ``object-mismatch``: the repository holds other bytes under this id.
    """
    header = f"{kind} {len(body)}\0".encode()
    algorithm = _HASHES.get(len(object_id))
    if algorithm is None or algorithm(header + body, usedforsecurity=False).hexdigest() != object_id:
        raise Refused(
            "object-mismatch",
            f"git object {object_id[:12]} is not what its id says",
            why="the bytes in the repository do not hash to the id: it is damaged or was tampered with",
            next_step="git fsck, then clone again from a source you trust",
        )


def parse_commit(object_id: str, body: bytes) -> Commit:
    """Return the commit in ``body``, whose id was asked for as ``object_id``.

    Raises:
        Refused: ``object-mismatch``, or ``malformed-commit`` where the strict grammar does not fit.
    """
    check_id(object_id, "commit", body)
    head, separator, message = body.partition(b"\n\n")
    try:
        if not separator:
            raise ValueError("no empty line behind the headers")
        return _from_headers(object_id, _headers(head), body, message)
    except (ValueError, UnicodeDecodeError) as error:
        raise Refused(
            "malformed-commit",
            f"commit {object_id[:12]} is not well formed",
            why=str(error),
            next_step="leave it out of the range to be judged, or have its author write it again",
        ) from error


def parse_tree(object_id: str, body: bytes) -> list[TreeEntry]:
    """Return the entries of a tree object in its order.

    Raises:
        Refused: ``object-mismatch`` or ``malformed-tree``.
    """
    check_id(object_id, "tree", body)
    size = len(object_id) // 2
    entries, rest = [], body
    while rest:
        head, separator, rest = rest.partition(b"\0")
        mode, space, name = head.partition(b" ")
        if not (separator and space and name and len(rest) >= size) or b"/" in name or name in {b".", b"..", b".git"}:
            raise Refused(
                "malformed-tree",
                f"git tree {object_id[:12]} is not well formed",
                why="an entry is cut short or has a forbidden name",
                next_step="git fsck, then clone again from a source you trust",
            )
        entries.append(TreeEntry(mode.decode(), name.decode("utf-8", "surrogateescape"), rest[:size].hex()))
        rest = rest[size:]
    return entries


def _headers(head: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    for line in head.split(b"\n"):
        if line.startswith(b" "):
            if not found:
                raise ValueError("a continuation before any header")
            found[-1] = (found[-1][0], found[-1][1] + b"\n" + line[1:])
        else:
            name, _, value = line.partition(b" ")
            found.append((name, value))
    return found


def _from_headers(object_id: str, headers: list[tuple[bytes, bytes]], body: bytes, message: bytes) -> Commit:
    names = [name for name, _ in headers]
    parents = [value for name, value in headers if name == b"parent"]
    expected = [b"tree", *[b"parent"] * len(parents), b"author", b"committer"]
    extra = names[len(expected) :]
    if names[: len(expected)] != expected or not set(extra) <= _EXTRA | {b"gpgsig", b"gpgsig-sha256"}:
        raise ValueError("headers are not tree, parents, author and committer once each and in order")
    if any(extra.count(name) > 1 for name in (b"gpgsig", b"gpgsig-sha256", b"encoding")):
        raise ValueError("a signature or encoding header stands twice")
    values = dict(headers)
    for value in (values[b"tree"], *parents):
        if not _HEX.fullmatch(value):
            raise ValueError("tree or parent is no object id")
    author, committer = _PERSON.fullmatch(values[b"author"]), _PERSON.fullmatch(values[b"committer"])
    if author is None or committer is None:
        raise ValueError("author or committer is not 'Name <mail> time zone'")
    wanted = b"gpgsig" if len(object_id) == 40 else b"gpgsig-sha256"  # noqa: PLR2004 - hex digits of SHA-1
    signature = values.get(wanted)
    return Commit(
        id=object_id,
        tree=values[b"tree"].decode(),
        parents=tuple(p.decode() for p in parents),
        author=author["who"].decode("utf-8", "replace"),
        committer=committer["who"].decode("utf-8", "replace"),
        committed_at=int(committer["time"]),
        payload=_without_signatures(body),
        subject=message.split(b"\n", 1)[0].decode("utf-8", "replace"),
        signature=signature.decode("ascii") if signature is not None else None,
    )


def _without_signatures(body: bytes) -> bytes:
    head, separator, message = body.partition(b"\n\n")
    kept, dropping = [], False
    for line in head.split(b"\n"):
        if not line.startswith(b" "):
            dropping = line.startswith((b"gpgsig ", b"gpgsig-sha256 "))
        if not dropping:
            kept.append(line)
    return b"\n".join(kept) + separator + message
