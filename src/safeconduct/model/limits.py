"""Limits: the caps on everything that is read from outside. Beyond a cap means: could not tell."""

import msgspec

_MIB = 1024 * 1024


class Limits(msgspec.Struct, frozen=True):
    """One value for all caps; sizes in bytes."""

    manifest: int = 4 * _MIB
    bundle: int = 16 * _MIB
    sbom: int = 128 * _MIB
    lock_file: int = 64 * _MIB
    advisory: int = 16 * _MIB
    review: int = 3 * _MIB
    object: int = 512 * _MIB
    layer: int = 16 * 1024 * _MIB
    referrers: int = 256
    subjects: int = 1_024
    signatures: int = 32
    json_depth: int = 64
    unpack_ratio: int = 200
    entries: int = 1_000_000


LIMITS = Limits()
