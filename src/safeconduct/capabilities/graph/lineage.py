"""Lineage: one release from who to where it runs, as values for a drawing, and the panel that says why."""

from collections.abc import Iterator

from safeconduct.capabilities.graph.answers import CommitFact, Everything, Finding, Judgement, Place, Proof, Witness
from safeconduct.capabilities.graph.digests import everything, path
from safeconduct.foundation.clock import to_rfc3339
from safeconduct.foundation.store import Store
from safeconduct.foundation.wording import counted
from safeconduct.model.decision import Outcome
from safeconduct.model.digest import Digest
from safeconduct.model.finding import Level
from safeconduct.model.identity import Identity
from safeconduct.model.lineage import Lineage, Link, Node
from safeconduct.model.statement import Predicate

_SHORT = 19
_MOST_FINDINGS = 5
_MINUTE = 16
_NAMES = {
    Predicate.SIGNATURE: "signature",
    Predicate.PROVENANCE: "SLSA provenance",
    Predicate.CYCLONEDX: "CycloneDX",
    Predicate.SPDX: "SPDX",
    Predicate.VULNS: "scan",
    Predicate.VSA: "summary (VSA)",
    Predicate.OPENVEX: "OpenVEX",
}
_MARKS = {Outcome.PASSED: "ok", Outcome.DENIED: "bad", Outcome.UNDECIDED: "unsure"}


def lineage(store: Store, digest: Digest, *, as_of: int | None = None, known: int | None = None) -> Lineage:
    """Return the lineage of a release: who → source → build → release → evidence and risk → admission → running.

    Raises:
        Undecided: ``unknown-digest``.
    """
    with store.reading():
        all_of_it = everything(store, digest, as_of=as_of, known=known)
        worst = all_of_it.findings[0] if all_of_it.findings else None
        witness = path(store, digest, worst.purl, as_of=as_of, known=known) if worst else None
    drawing = _Drawing(all_of_it, worst)
    release = all_of_it.release
    return Lineage(
        title=f"{release.product} {release.version}".strip() or "unnamed image",
        digest=release.digest,
        summary=_summary(all_of_it),
        alarm=_alarm(all_of_it, worst),
        nodes=tuple(drawing.nodes),
        links=tuple(dict.fromkeys(drawing.links)),
        facts=tuple(_facts(all_of_it, worst, witness)),
    )


class _Drawing:
    """Nodes and links, column by column; what the worst finding runs through is the path of the risk."""

    def __init__(self, all_of_it: Everything, worst: Finding | None) -> None:
        self.nodes: list[Node] = []
        self.links: list[Link] = []
        self._all, self._worst = all_of_it, worst
        self._commit = all_of_it.release.commit
        self._draw_source()
        self._draw_build()
        self._draw_release()
        self._draw_evidence()
        self._draw_risk()
        self._draw_admissions()
        self._draw_running()

    def _add(self, node: Node) -> str:
        if all(known.id != node.id for known in self.nodes):
            self.nodes.append(node)
        return node.id

    def _link(self, start: str, end: str, *, verified: bool = True, risk: bool = False) -> None:
        self.links.append(Link(start, end, verified, risk))

    def _signer(self, signer: Identity, revoked: str) -> str:
        detail = f"key revoked: {revoked}" if revoked else _short(signer.fingerprint)
        mark = "bad" if revoked else "ok"
        return self._add(Node(f"who:{signer.fingerprint}", "who", "Signers", signer.subject, detail, mark))

    def _draw_source(self) -> None:
        commit = self._commit
        if commit is None:
            return
        mark = "bad" if commit.revoked else {"verified": "ok", "invalid": "bad"}.get(commit.state, "unsure")
        card = commit.repository or "source"
        self._add(Node("commit", "source", card, commit.id[:10], commit.subject or commit.author, mark))
        if commit.signer is not None:
            signer = self._signer(commit.signer, commit.revoked)
            self._link(signer, "commit", verified=commit.state == "verified")
        elif commit.author:
            author = self._add(Node("author", "who", "Authors", commit.author, "not verified", "unsure"))
            self._link(author, "commit", verified=False)

    def _draw_build(self) -> None:
        provenance = next((p for p in self._all.proofs if p.kind.startswith("https://slsa.dev/provenance/")), None)
        if provenance is not None:
            detail = _vouching(provenance, "signed by {}", "unsigned")
            self._add(Node("build", "build", "Build", "provenance", detail, _mark(provenance)))
            if provenance.signer is not None:
                signer = self._signer(provenance.signer, provenance.revoked)
                self._link(signer, "build", verified=provenance.verified)
        if self._commit is not None and provenance is not None:
            self._link("commit", "build", verified=self._all.release.commit_verified)

    def _draw_release(self) -> None:
        release = self._all.release
        card = f"{release.product} {release.version}".strip() or "image"
        mark = "bad" if self._worst else ("unsure" if release.inventory_is == "none" else "ok")
        self._add(Node("release", "release", card, _short(release.digest), release.repository, mark))
        for relation, name in self._all.other_names:
            other = self._add(Node(f"name:{name}", "release", card, _short(name), relation, "ok"))
            self._link("release", other)
        start = "build" if any(node.id == "build" for node in self.nodes) else "commit"
        if any(node.id == start for node in self.nodes):
            self._link(start, "release", verified=release.commit_verified)

    def _draw_evidence(self) -> None:
        note = f"{sum(p.verified for p in self._all.proofs)} verified"
        for proof in self._all.proofs:
            name = _NAMES.get(proof.kind, proof.kind.rpartition("/")[2] or proof.kind)
            detail = _vouching(proof, "{}", "nobody vouches")
            node = self._add(Node(f"doc:{proof.document}", "evidence", "Evidence", name, detail, _mark(proof), note))
            self._link("release", node, verified=proof.verified)

    def _draw_risk(self) -> None:
        for finding in self._all.findings[:_MOST_FINDINGS]:
            note = f"known since {_time(finding.known_since)}"
            detail = f"{finding.advisory.level.word}, {finding.purl}"
            name = f"risk:{finding.advisory.id}:{finding.purl}"
            node = self._add(Node(name, "evidence", "Risk", finding.advisory.id, detail, "bad", note))
            self._link("release", node, risk=True)

    def _draw_admissions(self) -> None:
        for number, judgement in enumerate(self._shown_judgements()):
            title = judgement.place.partition("/")[0] or f"{judgement.scope} gate"
            detail = f"{judgement.outcome.word} {_time(judgement.at)}"
            mark = _MARKS[judgement.outcome]
            card = "Admission" if judgement.kind == "admission" else "Gates"
            node = self._add(Node(f"judged:{number}", "admission", card, title, detail, mark))
            self._link("release", node, risk=judgement.outcome is Outcome.DENIED and self._worst is not None)

    def _draw_running(self) -> None:
        admitted = {
            judgement.place.partition("/")[0]: f"judged:{number}"
            for number, judgement in enumerate(self._shown_judgements())
            if judgement.kind == "admission" and judgement.outcome is Outcome.PASSED
        }
        risk = f"risk:{self._worst.advisory.id}:{self._worst.purl}" if self._worst else ""
        for place in self._all.running:
            mark = "bad" if self._worst else "ok"
            node = self._add(
                Node(_place_id(place), "running", place.cluster, place.workload, _where(place), mark, place.region)
            )
            # Without an admission of ours, all we know is that it runs.
            self._link(admitted.get(place.cluster, "release"), node, verified=place.cluster in admitted)
            if risk:
                self._link(risk, node, risk=True)
        for number, violation in enumerate(self._all.violations):
            detail = f"{violation.namespace}/{violation.workload}, {_time(violation.at)}"
            node = self._add(Node(f"alert:{number}", "running", violation.cluster, violation.rule, detail, "bad"))
            self._link("release", node, verified=violation.join in {"container", "pod"})

    def _shown_judgements(self) -> list[Judgement]:
        """The newest judgement of each kind and place."""
        newest = {(j.kind == "admission", j.scope, j.place): j for j in self._all.judgements}
        return sorted(newest.values(), key=lambda j: (j.at, j.kind))


def _facts(
    all_of_it: Everything, worst: Finding | None, witness: Witness | None
) -> Iterator[tuple[str, tuple[str, ...]]]:
    if worst is None:
        documents, running = len(all_of_it.proofs), len(all_of_it.running)
        yield "What is known", (f"{counted(documents, 'document')}, {counted(running, 'running container')}",)
    else:
        advisory = worst.advisory
        named = "; ".join(part for part in (advisory.level.word, ", ".join(advisory.aliases)) if part)
        yield f"advisory {advisory.id}", tuple(line for line in (advisory.summary, named) if line)
        yield "Why we say so", tuple(_reasons(all_of_it, worst))
        yield "How it got in", witness.steps if witness and witness.steps else (worst.purl,)
        yield "What to do", (_remedy(worst), " → ".join(_chain(all_of_it, worst)))
    if all_of_it.gaps:
        yield "Could not tell", tuple(f"{gap.subject}: {gap.why}" for gap in all_of_it.gaps)


def _chain(all_of_it: Everything, worst: Finding) -> Iterator[str]:
    """Advisory → where it runs → release → commit → author → fix."""
    release, commit = all_of_it.release, all_of_it.release.commit
    yield worst.advisory.id
    yield ", ".join(f"{p.cluster}/{p.namespace}/{p.workload}" for p in all_of_it.running[:3]) or "runs nowhere"
    yield f"{release.product} {release.version}".strip() or _short(release.digest)
    yield commit.id[:10] if commit else "commit unknown"
    yield _author(commit)
    yield _remedy(worst)


def _reasons(all_of_it: Everything, worst: Finding) -> Iterator[str]:
    release = all_of_it.release
    yield f"Advisory known since {_time(worst.advisory.known_since)}, {_short(worst.advisory.document)}"
    if release.inventory is not None:
        about = [p for p in all_of_it.proofs if p.document == release.inventory and p.signer]
        signed = dict.fromkeys(_vouching(p, "signed by {}", "") for p in about)
        vouched = ", ".join(signed) or "that nobody vouches for"
        yield f"Inventory {_short(release.inventory)}, {vouched}, names {worst.purl}"
    for place in all_of_it.running[:3]:
        yield f"{place.cluster} reports {_where(place)} since {_time(place.since)}"


def _summary(all_of_it: Everything) -> str:
    commit = all_of_it.release.commit
    source = f"Built from {commit.id[:10]} by {_author(commit)}." if commit else "Its source is not known."
    clusters = len({place.cluster for place in all_of_it.running})
    running = counted(len(all_of_it.running), "container")
    return f"{source} {running} in {counted(clusters, 'cluster')}."


def _alarm(all_of_it: Everything, worst: Finding | None) -> str:
    if worst is None:
        return ""
    count = sum(finding.advisory.level is worst.advisory.level for finding in all_of_it.findings)
    word = worst.advisory.level.word if worst.advisory.level is not Level.UNKNOWN else "unrated"
    return f"{counted(count, f'{word} risk')}, known since {_time(worst.known_since)}."


def _remedy(worst: Finding) -> str:
    return f"upgrade {worst.purl} to {worst.fixed}" if worst.fixed else f"no fix is known for {worst.purl}"


def _author(commit: CommitFact | None) -> str:
    if commit is None:
        return "nobody known"
    signer = commit.signer if not commit.revoked else None
    return signer.subject if signer else commit.author or "nobody known"


def _vouching(proof: Proof, form: str, nobody: str) -> str:
    if proof.signer is None:
        return nobody
    if proof.revoked:
        return f"key of {proof.signer.subject} revoked: {proof.revoked}"
    return form.format(proof.signer.subject)


def _mark(proof: Proof) -> str:
    if proof.revoked:
        return "bad"
    return "ok" if proof.verified and proof.kept else "unsure"


def _where(place: Place) -> str:
    return f"{place.namespace}, {place.container}"


def _place_id(place: Place) -> str:
    return f"run:{place.cluster}/{place.namespace}/{place.workload}/{place.container}/{place.since}"


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _time(at: int) -> str:
    return to_rfc3339(at)[:_MINUTE].replace("T", " ")
