"""Advisories: published text that says which versions of which packages are affected.

Shapes follow the OSV schema 1.7; field names are its own.
"""

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One boundary of a range; exactly one field is set."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class Range(msgspec.Struct, frozen=True, omit_defaults=True):
    """A range of versions; ``type`` is ECOSYSTEM, SEMVER or GIT."""

    type: str
    events: tuple[Event, ...] = ()
    repo: str | None = None


class Score(msgspec.Struct, frozen=True):
    """A severity as published: ``type`` names the system, ``score`` is its vector or word."""

    type: str
    score: str


class Package(msgspec.Struct, frozen=True, omit_defaults=True):
    """A package in its ecosystem's own spelling, the ecosystem with its release suffix (``Debian:12``)."""

    ecosystem: str = ""
    name: str = ""
    purl: str | None = None


class Affected(msgspec.Struct, frozen=True, omit_defaults=True):
    """One affected package: matching ranges, or exactly listed versions."""

    package: Package | None = None
    ranges: tuple[Range, ...] = ()
    versions: tuple[str, ...] = ()
    severity: tuple[Score, ...] = ()
    database_specific: dict[str, Any] | None = None
    ecosystem_specific: dict[str, Any] | None = None


class Reference(msgspec.Struct, frozen=True):
    """A link with its kind (ADVISORY, FIX, WEB ...)."""

    type: str = "WEB"
    url: str = ""


class Advisory(msgspec.Struct, frozen=True, omit_defaults=True):
    """One advisory record. Withdrawn ones are kept and never match."""

    id: str
    modified: str = ""
    published: str = ""
    withdrawn: str | None = None
    aliases: tuple[str, ...] | None = None
    upstream: tuple[str, ...] | None = None
    related: tuple[str, ...] | None = None
    summary: str = ""
    details: str = ""
    severity: tuple[Score, ...] | None = None
    affected: tuple[Affected, ...] | None = None
    references: tuple[Reference, ...] | None = None
    database_specific: dict[str, Any] | None = None
