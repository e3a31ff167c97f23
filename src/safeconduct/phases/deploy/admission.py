"""Admission: each image of a request is resolved once, then admitted or not by the verdict on its digest.

Mutation pins Pods to the digest that a tag meant at that moment; validation judges what stands in the object after
all mutation, so that nothing moved or swapped in between is let pass. A digest that the graph knows is judged without
calling any registry; others are looked up in configured registries only.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from safeconduct.assessment.judge import Case, judge
from safeconduct.capabilities.graph.directory import find_verdict
from safeconduct.capabilities.kubernetes import review as reviews
from safeconduct.capabilities.kubernetes.review import Answer, Request
from safeconduct.capabilities.kubernetes.workload import (
    Concern,
    ImageUse,
    PodFacts,
    changed_uses,
    concern,
    image_uses,
    is_mirror_pod,
    old_uses,
    pin_patch,
    pod_facts,
)
from safeconduct.capabilities.policy import input as facts
from safeconduct.capabilities.policy.engine import Engine
from safeconduct.capabilities.policy.pack import Pack
from safeconduct.capabilities.registry.reference import Reference, parse_reference
from safeconduct.capabilities.signing.trust import TrustStore
from safeconduct.foundation.clock import to_datetime
from safeconduct.foundation.documents import TableDocuments
from safeconduct.foundation.errors import Refused, SafeconductError
from safeconduct.foundation.store import Store
from safeconduct.intake.releases import record_single
from safeconduct.model.decision import Decision, Outcome, Reason
from safeconduct.model.digest import Digest, sha256
from safeconduct.model.evidence import Evidence
from safeconduct.model.exemption import Exemption
from safeconduct.model.workload import Workload
from safeconduct.phases.authority import Authority
from safeconduct.phases.deploy.admissions import Admitted, KeepAtOnce, Keeper
from safeconduct.phases.verdict import (
    Bench,
    Judged,
    documents_of,
    gather_all,
    gather_held,
    judge_digest,
    keep_authority,
    listed_in,
    renew_verdict,
    scope_of,
)

Phase = Literal["mutate", "validate"]
_MOST_REASONS = 3
_FLIGHTS = 256


class Cluster(msgspec.Struct, frozen=True):
    """Which cluster asks."""

    name: str
    region: str = ""


class ImageVerdict(msgspec.Struct, frozen=True):
    """What was said about one image of a request."""

    image: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    digest: Digest | None = None
    decision: Digest | None = None


class Admission:
    """Judges admission requests. Safe to call from many threads: each has its own connection to the graph."""

    def __init__(self, authority: Authority, engine: Engine, cluster: Cluster, keeper: Keeper | None = None) -> None:
        """Open nothing yet.

        Args:
            keeper: keeps what was answered; by default before it is answered.
        """
        self._keeper = keeper or KeepAtOnce()
        self._authority = authority
        self._engine = engine
        self._cluster = cluster
        self._local = threading.local()
        # One flight per digest: a thousand Pods of one new image cause one look-up. Striped, so it cannot grow.
        self._flights = tuple(threading.Lock() for _ in range(_FLIGHTS))
        self._opened = _Opened(authority)
        self._kept: tuple[Digest, int] | None = None

    def review(self, request: Request, *, phase: Phase) -> Answer:
        """Return the answer to one request.

        Raises:
            SafeconductError: trust or policy that cannot be used: could not tell.
        """
        about = concern(request)
        if about is Concern.NOTHING or is_mirror_pod(request):
            return reviews.allow()
        if about is Concern.UNKNOWN:
            return reviews.could_not_tell(f"{request.kind.kind} looks like a workload of a kind that is not configured")
        uses = changed_uses(old_uses(request), image_uses(request))
        if phase == "mutate":
            return self._pin(request, uses)
        return self._judge(request, uses)

    def ready(self) -> bool:
        """Return whether trust and policy can be used right now."""
        try:
            self._bench()
        except SafeconductError:
            return False
        return True

    def _pin(self, request: Request, uses: tuple[ImageUse, ...]) -> Answer:
        digests: dict[str, str] = {}
        for image in dict.fromkeys(use.image for use in uses):
            try:
                digests[image] = self._resolve(parse_reference(image))
            except SafeconductError as error:
                return _answer(request, [_failed(image, error)])
        return reviews.allow(patch=pin_patch(request, uses, digests))

    def _judge(self, request: Request, uses: tuple[ImageUse, ...]) -> Answer:
        bench = self._bench()
        said = [_of_pod(self._judge_pod(request, pod_facts(request), bench))]
        said += [self._judge_image(request, image, bench) for image in dict.fromkeys(use.image for use in uses)]
        if not request.dry_run:
            self._keep_authority(bench)
            self._record(request, uses, said, bench.now)
        return _answer(request, said)

    def _judge_pod(self, request: Request, pod: PodFacts | None, bench: Bench) -> Decision:
        given = facts.PodFacts(
            request.kind.kind, request.namespace or "", request.name or "", _dangers(pod) if pod else ()
        )
        case = Case(subject=f"{given.kind}/{given.name}", pod=given)
        return judge("workload", case, bench.pack, bench.engine, now=bench.now, exemptions=bench.exemptions)

    def _judge_image(self, request: Request, image: str, bench: Bench) -> ImageVerdict:
        try:
            reference = parse_reference(image)
            if reference.digest is None and request.kind.kind == "Pod":
                raise Refused(
                    "not-pinned",
                    f"{image} is not pinned to a digest",
                    why="a tag could be moved between this check and the node's pull",
                    next_step="let the mutating webhook pin it, or write the image with @sha256:…",
                )
            digest = reference.digest or self._resolve(reference)
            with self._flights[int(digest[7:15], 16) % _FLIGHTS]:
                return self._verdict(reference.name, image, Digest(digest), bench, dry=bool(request.dry_run))
        except SafeconductError as error:
            return _failed(image, error)

    def _verdict(self, repository: str, image: str, digest: Digest, bench: Bench, *, dry: bool) -> ImageVerdict:
        store = self._store()
        warm = find_verdict(
            store,
            digest,
            scope=scope_of(repository),
            policy=bench.pack.digest,
            trust_version=bench.trust.version,
            now=bench.now,
        )
        if warm is not None:
            reasons: tuple[Reason, ...] = ()
            if warm.outcome is not Outcome.PASSED:
                reasons = msgspec.json.decode(TableDocuments(store).get(warm.decision), type=Decision).reasons
            return ImageVerdict(image, warm.outcome, reasons, digest, warm.decision)
        decision = self._cold(store, repository, digest, bench, dry=dry)
        return ImageVerdict(image, decision.outcome, decision.reasons, digest, sha256(msgspec.json.encode(decision)))

    def _cold(self, store: Store, repository: str, digest: Digest, bench: Bench, *, dry: bool) -> Decision:
        """Judge a digest without verdict: by what the graph keeps; where that is not enough, by the registry too."""
        product = facts.ProductFacts("", "", repository)
        evidence = gather_held(store, digest, repository, bench)
        judged = judge_digest(store, "deploy", evidence, product, bench) if evidence is not None else None
        if evidence is None or judged is None or judged.decision.outcome is not Outcome.PASSED:
            evidence, judged = self._ask_registry(store, repository, digest, bench, judged)
        if evidence.claims and not dry:
            # What is verified is kept, so that a later advisory finds it and a dead registry does not matter.
            _keep_evidence(store, digest, evidence, repository, bench.now)
        judged = judged or judge_digest(store, "deploy", evidence, product, bench)
        if dry or judged.decision.outcome is Outcome.UNDECIDED:
            # What could not be told is asked again next time, not remembered as an answer.
            return judged.decision
        return renew_verdict(store, product, bench, evidence, judged=judged).decision

    def _ask_registry(
        self, store: Store, repository: str, digest: Digest, bench: Bench, held: Judged | None
    ) -> tuple[Evidence, Judged | None]:
        """Return the evidence with what the registry has, and its judgement where that is the one there is already."""
        try:
            found = gather_all(store, self._authority.repository(repository), digest, repository, bench)
        except SafeconductError:
            if held is None:
                raise
            return held.evidence, held
        return found, held if held is not None and found == held.evidence else None

    def _resolve(self, reference: Reference) -> Digest:
        """Return the digest that a reference means now; asked once for each request."""
        if reference.digest is not None:
            return reference.digest
        repository = self._authority.repository(reference.name)
        return Digest(repository.resolve(reference.asked).digest)

    def _record(self, request: Request, uses: tuple[ImageUse, ...], said: list[ImageVerdict], now: int) -> None:
        by_image = {verdict.image: verdict for verdict in said if verdict.digest}
        admitted = []
        for use in uses:
            verdict = by_image.get(use.image)
            if verdict is None or verdict.digest is None:
                continue
            where = Workload(
                self._cluster.name,
                self._cluster.region,
                request.namespace or "",
                f"{request.kind.kind.lower()}/{request.name or ''}",
                use.container,
            )
            admitted.append(Admitted(now, verdict.digest, where, verdict.outcome, verdict.decision))
        self._keeper.keep(self._store(), admitted)

    def _bench(self) -> Bench:
        pack, trust, exemptions = self._opened.current()
        return Bench(pack, trust, self._engine, exemptions, self._authority.clock())

    def _keep_authority(self, bench: Bench) -> None:
        current = (bench.pack.digest, bench.trust.version)
        if current != self._kept:
            keep_authority(self._store(), bench.pack, bench.trust, now=bench.now)
            self._kept = current

    def _store(self) -> Store:
        if not hasattr(self._local, "store"):
            self._local.store = self._authority.graph()
        store: Store = self._local.store
        return store


def _keep_evidence(store: Store, digest: Digest, evidence: Evidence, repository: str, now: int) -> None:
    listed = listed_in(evidence)
    record_single(
        store,
        at=now,
        digest=digest,
        evidence=evidence,
        documents=documents_of(evidence),
        inventory=listed.inventory if listed else None,
        inventory_document=listed.document if listed else None,
        name=repository,
    )


class _Opened:
    """Policy, trust and exemptions, opened once and again when a file behind them changes."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._lock = threading.Lock()
        self._stamp: tuple[object, ...] = ()
        self._value: tuple[Pack, TrustStore, tuple[Exemption, ...]] | None = None

    def current(self) -> tuple[Pack, TrustStore, tuple[Exemption, ...]]:
        """Return what is in force now.

        Raises:
            SafeconductError: one of them cannot be used, or the trust snapshot has expired meanwhile.
        """
        stamp = tuple(_stamp_of(name) for name in self._files())
        with self._lock:
            expired = self._value is not None and to_datetime(self._authority.clock()) > self._value[1].snapshot.expires
            if self._value is None or stamp != self._stamp or expired:
                authority = self._authority
                self._value = (authority.pack(), authority.required_trust(), authority.exemptions())
                self._stamp = stamp
            return self._value

    def _files(self) -> tuple[str, ...]:
        settings = self._authority.settings
        pack = Path(settings.policy.pack)
        rules = sorted(str(file) for file in pack.iterdir()) if pack.is_dir() else []
        return (settings.trust.snapshot, *settings.exemptions, *rules)


def _stamp_of(name: str) -> tuple[int, int, int]:
    try:
        state = Path(name).stat()
    except OSError:
        return (0, 0, 0)
    return (state.st_ino, state.st_mtime_ns, state.st_size)


def _dangers(pod: PodFacts) -> tuple[str, ...]:
    found = [
        (pod.host_network, "the Pod uses its node's network"),
        (pod.host_pid, "the Pod sees its node's processes"),
        (pod.host_ipc, "the Pod shares its node's memory"),
        (pod.host_process, "the Pod runs as a process of its node"),
    ]
    named = [text for is_so, text in found if is_so]
    named += [f"container {name} is privileged" for name in pod.privileged]
    named += [f"the Pod mounts its node's path {path}" for path in pod.host_paths]
    return tuple(named)


def _failed(image: str, error: SafeconductError) -> ImageVerdict:
    outcome = Outcome.DENIED if isinstance(error, Refused) else Outcome.UNDECIDED
    why = f"{error.what}: {error.why}" if error.why else error.what
    return ImageVerdict(image, outcome, (Reason(error.id, outcome, why, image, error.next),))


def _of_pod(decision: Decision) -> ImageVerdict:
    return ImageVerdict("", decision.outcome, decision.reasons)


def _answer(request: Request, said: list[ImageVerdict]) -> Answer:
    worst = [v for v in said if v.outcome is Outcome.DENIED] or [v for v in said if v.outcome is Outcome.UNDECIDED]
    audit = {f"verdict-{n}": f"{v.image} {v.outcome.word}" for n, v in enumerate(said) if v.image}
    if not worst:
        return reviews.allow(audit=audit)
    build: Callable[..., Answer] = reviews.deny if worst[0].outcome is Outcome.DENIED else reviews.could_not_tell
    return build("\n".join(_text(request, verdict) for verdict in worst), audit=audit)


def _text(request: Request, verdict: ImageVerdict) -> str:
    about = verdict.image or f"{request.kind.kind} {request.name or ''}".strip()
    same = [r for r in verdict.reasons if r.outcome is verdict.outcome] or list(verdict.reasons)
    lines = [f"{about}: {verdict.outcome.word}"]
    for reason in same[:_MOST_REASONS]:
        lines += [f"  {reason.rule}: {reason.message}", f"  next: {reason.remedy}"]
    if len(same) > _MOST_REASONS:
        lines.append(f"  … and {len(same) - _MOST_REASONS} more")
    return "\n".join(lines)
