"""Membership: spans along a line, diffed against the newest release, or corrected in the middle of it."""

from typing import NamedTuple

import msgspec

from safeconduct.capabilities.graph.codes import OPEN_SEQ, encode_membership
from safeconduct.capabilities.graph.packed import pack
from safeconduct.foundation.statements import load_statements
from safeconduct.foundation.store import Store
from safeconduct.intake.dictionary import intern_packages
from safeconduct.intake.findings import SQL as FINDINGS
from safeconduct.intake.findings import add_findings, end_findings, match_packages
from safeconduct.intake.lines import OpenLine
from safeconduct.model.component import Component, Inventory

_SQL = load_statements("safeconduct.intake", "membership.sql")


class Membership(msgspec.Struct, frozen=True):
    """What one inventory says, in ids.

    Attributes:
        scopes: package id to the code of its strongest occurrence.
        graph: key of its packed graph on the line, None for an inventory without components.
    """

    scopes: dict[int, int]
    graph: bytes | None


class _Span(NamedTuple):
    pkg_id: int
    first: int
    last: int
    scope: int
    gen: int


def read_membership(store: Store, line: OpenLine, inventory: Inventory) -> Membership:
    """Intern an inventory's packages, match the new ones, keep its graph; return what it says in ids."""
    ids, new = intern_packages(store, [component.purl for component in inventory.components])
    match_packages(store, new, line.changed_at)
    scopes: dict[int, int] = {}
    for component in inventory.components:
        pkg_id, code = ids[component.purl], encode_membership(component)
        scopes[pkg_id] = min(code, scopes.get(pkg_id, code))
    return Membership(scopes, _keep_graph(store, line, inventory, ids))


def extend_line(store: Store, line: OpenLine, seq: int, scopes: dict[int, int]) -> None:
    """Make ``scopes`` the membership of ``seq``, the line's new head: only what changed is written."""
    held = {"line_id": line.line_id, "last": OPEN_SEQ}
    before = {row[0]: (row[1], row[2]) for row in store.rows(_SQL["open_spans"], held)}
    ended = [pkg_id for pkg_id, (_, scope) in before.items() if scopes.get(pkg_id) != scope]
    begun = sorted(pkg_id for pkg_id, scope in scopes.items() if pkg_id not in before or before[pkg_id][1] != scope)
    store.run_many(
        _SQL["end_span"], [held | {"seq": seq, "pkg_id": pkg_id, "first": before[pkg_id][0]} for pkg_id in ended]
    )
    end_findings(store, line, ended, seq)
    row = held | {"first": seq, "gen": line.gen}
    store.run_many(_SQL["add_span"], [row | {"pkg_id": pkg_id, "scope": scopes[pkg_id]} for pkg_id in begun])
    add_findings(store, line, begun, seq)


def correct_line(store: Store, line: OpenLine, seq: int, scopes: dict[int, int]) -> None:
    """Make ``scopes`` the membership of ``seq``, which the line has already; ``line.gen`` is the new generation."""
    rows = store.rows(_SQL["spans_at"], {"line_id": line.line_id, "seq": seq})
    before = {span.pkg_id: span for span in (_Span(*row) for row in rows)}
    for pkg_id, span in before.items():
        if scopes.get(pkg_id) != span.scope:
            _cut_span(store, line, span, seq)
    last = OPEN_SEQ if seq == line.head_seq else seq + 1
    for pkg_id in sorted(scopes):
        if pkg_id not in before or before[pkg_id].scope != scopes[pkg_id]:
            _put_span(store, line, _Span(pkg_id, seq, last, scopes[pkg_id], line.gen))


def _cut_span(store: Store, line: OpenLine, span: _Span, seq: int) -> None:
    place = {"line_id": line.line_id, "last": span.last, "pkg_id": span.pkg_id, "first": span.first}
    store.run(_SQL["keep_past_span"], place | {"gen_end": line.gen, "scope": span.scope, "gen": span.gen})
    store.run(_SQL["drop_span"], place)
    store.run(FINDINGS["close_findings_of_span"], place | {"at": line.changed_at})
    if span.first < seq:
        _put_span(store, line, span._replace(last=seq, gen=line.gen))
    if span.last > seq + 1 and seq < line.head_seq:
        _put_span(store, line, span._replace(first=seq + 1, gen=line.gen))


def _put_span(store: Store, line: OpenLine, span: _Span) -> None:
    store.run(_SQL["add_span"], span._asdict() | {"line_id": line.line_id})
    add_findings(store, line, [span.pkg_id], span.first, span.last)


def _keep_graph(store: Store, line: OpenLine, inventory: Inventory, ids: dict[str, int]) -> bytes | None:
    nodes = sorted(inventory.components, key=_canonical)
    if not nodes:
        return None
    place = {component.key: position for position, component in enumerate(nodes)}
    edges = {(place[a], place[b]) for a, b in inventory.edges if a in place and b in place}
    direct = [position for position, component in enumerate(nodes) if component.direct]
    packed = pack([c.purl for c in nodes], [ids[c.purl] for c in nodes], direct, edges)
    row = {"line_id": line.line_id, "graph": packed.key, "nodes": packed.nodes, "edges": packed.edges}
    store.run(_SQL["add_graph"], row)
    return packed.key


def _canonical(component: Component) -> tuple[str, str]:
    return component.purl, component.ref
