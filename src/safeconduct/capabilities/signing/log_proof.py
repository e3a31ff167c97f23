"""What a transparency log proves of an entry: its promise, its place in the tree, and the tree's signed head.

Source: RFC 9162 section 2.1.3.2 (inclusion proofs); C2SP signed-note and tlog-checkpoint; Rekor's signed entry
timestamp (types.md of sigstore/rekor).
"""

import base64
import binascii
import hashlib
import json

import msgspec

from safeconduct.capabilities.signing import public_keys
from safeconduct.capabilities.signing.bundle import InclusionProof, LogEntry
from safeconduct.capabilities.signing.trusted_root import Log
from safeconduct.foundation.errors import Refused

_LEAF, _NODE = b"\0", b"\1"
_HEAD_LINES = 3
_MOST_SIGNATURES = 32
_KEY_ID = 4
_DASH = "\N{EM DASH} "


class Checkpoint(msgspec.Struct, frozen=True):
    """A tree head as a signed note: ``note`` is what is signed; signatures are (name, key id, signature) in order."""

    origin: str
    size: int
    root: bytes
    note: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]


def verify_promise(entry: LogEntry, log: Log) -> None:
    """Return nothing when the log signed that it took the entry at its integrated time.

    Raises:
        Refused: ``bad-log-promise``.
    """
    said = {
        "body": base64.b64encode(entry.body).decode(),
        "integratedTime": entry.integrated_time,
        "logID": entry.log_id.hex(),
        "logIndex": entry.index,
    }
    message = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    try:
        public_keys.verify_signature(log.key.key, entry.promise, message)
    except Refused as error:
        raise _bad(
            "bad-log-promise", "the log's promise does not belong to this entry", "its signature is wrong"
        ) from (error)


def verify_inclusion(entry: LogEntry, proof: InclusionProof) -> None:
    """Return nothing when the entry stands in the tree of which the proof speaks.

    Raises:
        Refused: ``bad-inclusion-proof``.
    """
    try:
        root = root_of(hashlib.sha256(_LEAF + entry.body).digest(), proof.index, proof.size, proof.hashes)
    except ValueError as error:
        raise _bad("bad-inclusion-proof", "the inclusion proof is not one", str(error)) from error
    if root != proof.root:
        raise _bad("bad-inclusion-proof", "the entry does not stand in the log", "its hashes lead to another root")


def verify_head(proof: InclusionProof, log: Log) -> None:
    """Return nothing when the log signed the head of the tree of which the proof speaks.

    Raises:
        Refused: ``bad-checkpoint`` or ``malformed-checkpoint``.
    """
    checkpoint = parse_checkpoint(proof.checkpoint)
    verify_checkpoint(checkpoint, log)
    if (checkpoint.root, checkpoint.size) != (proof.root, proof.size):
        raise _bad("bad-checkpoint", "the checkpoint is of another tree", "its root or size is not the proof's")


def root_of(leaf: bytes, index: int, size: int, hashes: tuple[bytes, ...]) -> bytes:
    """Return the root that a leaf's hash and the hashes beside its path lead to.

    Raises:
        ValueError: the index is not in a tree of this size, or there are too few or too many hashes.
    """
    if index >= size:
        raise ValueError(f"index {index} in a tree of {size}")
    node, last, value = index, size - 1, leaf
    for sibling in hashes:
        if last == 0 or len(sibling) != len(leaf):
            raise ValueError("a hash too many, or of another length")
        if node & 1 or node == last:
            value = hashlib.sha256(_NODE + sibling + value).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            value = hashlib.sha256(_NODE + value + sibling).digest()
        node, last = node >> 1, last >> 1
    if last:
        raise ValueError("hashes are missing")
    return value


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the parts of a signed note with a tree head.

    Raises:
        Refused: ``malformed-checkpoint``: no origin, size, root or signature, or none that can be read.
    """
    head, gap, tail = text.partition("\n\n")
    lines = head.split("\n")
    try:
        if not gap or len(lines) < _HEAD_LINES or not lines[0] or not tail.endswith("\n"):
            raise ValueError("no origin, size, root and signatures")
        if not lines[1].isascii() or not lines[1].isdigit() or str(int(lines[1])) != lines[1]:
            raise ValueError("its second line is no size")
        signatures = tuple(_signature(line) for line in tail[:-1].split("\n"))
        if len(signatures) > _MOST_SIGNATURES:
            raise ValueError(f"{len(signatures)} signatures")
        root = base64.b64decode(lines[2], validate=True)
        return Checkpoint(lines[0], int(lines[1]), root, (head + "\n").encode(), signatures)
    except (ValueError, binascii.Error) as error:
        raise _bad("malformed-checkpoint", "a log's checkpoint is not well formed", str(error)[:200]) from error


def verify_checkpoint(checkpoint: Checkpoint, log: Log) -> None:
    """Return nothing when one of the signatures is the log's; those of witnesses whom we do not know prove nothing.

    A signature is the log's by its key's id and by its name, which the origin must be, or start with (Rekor v1).

    Raises:
        Refused: ``bad-checkpoint``.
    """
    origin = checkpoint.origin
    ours = [
        signature
        for name, key_id, signature in checkpoint.signatures
        if key_id == log.id[:_KEY_ID] and (origin == name or origin.startswith(name + " - "))
    ]
    for signature in ours:
        try:
            public_keys.verify_signature(log.key.key, signature, checkpoint.note)
        except Refused:
            continue
        return
    why = "its signature is wrong" if ours else "none of its signatures names the log's key"
    raise _bad("bad-checkpoint", "the checkpoint is not signed by the log of the entry", why)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    if not line.startswith(_DASH):
        raise ValueError("a line that is no signature")
    name, _, encoded = line[len(_DASH) :].rpartition(" ")
    raw = base64.b64decode(encoded, validate=True)
    if not name or len(raw) <= _KEY_ID:
        raise ValueError("a signature without name, key or value")
    return name, raw[:_KEY_ID], raw[_KEY_ID:]


def _bad(error_id: str, what: str, why: str) -> Refused:
    return Refused(
        error_id, what, why=why, next_step="fetch the bundle again from its producer; if it stays wrong, it was changed"
    )
