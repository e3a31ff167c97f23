"""Tag objects, parsed from raw bytes by a strict grammar and split into what was signed and the signature.

Source: git's object format; a tag's signature stands at the end of its body, a second one (the other hash
algorithm's) in the header ``gpgsig`` or ``gpgsig-sha256``.
"""

import re

import msgspec

from safeconduct.capabilities.source.objects import check_id
from safeconduct.foundation.errors import Refused

_PERSON = re.compile(rb"[^\n\0]*<[^<>\n]*> \d{1,12} [+-]\d{4}")
_OBJECT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAMES = (b"object", b"type", b"tag", b"tagger")
_KINDS = frozenset({b"commit", b"tree", b"blob", b"tag"})
_ARMORS = (
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN SSH SIGNATURE-----",
    b"-----BEGIN SIGNED MESSAGE-----",
)


class Tag(msgspec.Struct, frozen=True):
    """An annotated tag.

    Attributes:
        target, kind: what it points to, and of which type the tag says it is.
        payload: the bytes that the signature covers.
        signature: armored text, None when unsigned.
    """

    id: str
    target: str
    kind: str
    name: str
    payload: bytes
    signature: str | None = None


def parse_tag(object_id: str, body: bytes) -> Tag:
    """Return the tag in ``body``, whose id was asked for as ``object_id``.

    Raises:
        Refused: ``object-mismatch``, or ``malformed-tag``.
    """
    check_id(object_id, "tag", body)
    head, separator, message = body.partition(b"\n\n")
    try:
        rows = [line.partition(b" ") for line in head.split(b"\n")]
        values = {name: value for name, _, value in rows}
        if not separator or tuple(name for name, _, _ in rows) != _NAMES:
            raise ValueError("headers are not object, type, tag and tagger once each and in order")
        if not _OBJECT.fullmatch(values[b"object"]) or values[b"type"] not in _KINDS:
            raise ValueError("it points to no object, or to one of another kind")
        if not values[b"tag"] or not _PERSON.fullmatch(values[b"tagger"]):
            raise ValueError("it has no name, or its tagger is not 'Name <mail> time zone'")
        at = _signature_at(message)
        signature = message[at:].decode("ascii") if at is not None else None
        return Tag(
            object_id,
            values[b"object"].decode(),
            values[b"type"].decode(),
            values[b"tag"].decode("utf-8", "replace"),
            body if at is None else body[: len(head) + 2 + at],
            signature,
        )
    except ValueError as error:
        raise Refused(
            "malformed-tag",
            f"tag {object_id[:12]} is not well formed",
            why=str(error),
            next_step="have its author make it again with: git tag -s",
        ) from error


def check_tag(tag: Tag, name: str, kind: str = "commit") -> None:
    """Return nothing when the tag is the one that was asked for by name and points to what is wanted.

    Raises:
        Refused: ``wrong-tag``: a good signature of another tag, or of a tag on something else.
    """
    if (tag.name, tag.kind) != (name, kind):
        raise Refused(
            "wrong-tag",
            f"the tag object is {tag.name[:80]!r} of a {tag.kind}, wanted {name[:80]!r} of a {kind}",
            why="a signed tag under another name is somebody else's promise",
            next_step="fetch the tags again; if it stays wrong, the reference was moved",
        )


def _signature_at(message: bytes) -> int | None:
    """Return where the last signature starts, as git finds it: at the start of a line."""
    found = [
        place
        for armor in _ARMORS
        if (place := message.rfind(armor)) >= 0 and (place == 0 or message[place - 1 : place] == b"\n")
    ]
    return max(found) if found else None
