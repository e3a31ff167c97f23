"""Predicates that we write and read: SLSA provenance, vulnerabilities, verification summary, image signature.

Sources: SLSA provenance v1 and verification summary v1; in-toto vulns v0.2; cosign ``sign/v1``.
"""

from typing import Any

import msgspec

from safeconduct.foundation.errors import Refused
from safeconduct.model.digest import Digest
from safeconduct.model.finding import Finding

BUILD_TYPE = "https://safeconduct.dev/build/assemble/v1"
VERIFIER_ID = "https://safeconduct.dev/gate"


class BuildFacts(msgspec.Struct, frozen=True):
    """What a build knows of itself.

    Attributes:
        started, finished: RFC 3339.
        inputs: name to digest of what went in beside the commit.
        isolation: ``none`` for a build outside a cell.
    """

    builder: str
    version: str
    repository: str
    source: str
    commit: str
    branch: str
    invocation: str
    started: str
    finished: str
    inputs: dict[str, Digest] = {}
    isolation: str = "none"


class Provenance(msgspec.Struct, frozen=True):
    """What provenance says, as far as gates ask."""

    builder: str
    commit: str
    source: str
    repository: str
    branch: str


class Summary(msgspec.Struct, frozen=True):
    """What a verification summary says.

    Attributes:
        verified_at: RFC 3339, the verifier's claim: it can age the summary, never freshen it.
    """

    passed: bool
    verifier: str
    resource: str
    policy: str
    verified_at: str
    levels: tuple[str, ...]


def provenance(facts: BuildFacts) -> dict[str, Any]:
    """Return the predicate of SLSA provenance v1."""
    inputs = [{"uri": name, "digest": {"sha256": d[7:]}} for name, d in sorted(facts.inputs.items())]
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "repository": facts.repository,
                "source": facts.source,
                "ref": facts.branch,
            },
            "internalParameters": {"isolation": facts.isolation},
            "resolvedDependencies": [{"uri": facts.source, "digest": {"gitCommit": facts.commit}}, *inputs],
        },
        "runDetails": {
            "builder": {"id": facts.builder, "version": {"safeconduct": facts.version}},
            "metadata": {
                "invocationId": facts.invocation,
                "startedOn": facts.started,
                "finishedOn": facts.finished,
            },
        },
    }


def read_provenance(predicate: dict[str, Any]) -> Provenance:
    """Return the facts of SLSA provenance v1.

    Raises:
        Refused: ``malformed-predicate``: no builder, or no source commit among the resolved dependencies.
    """
    try:
        definition = predicate["buildDefinition"]
        external = definition["externalParameters"]
        source = next(d for d in definition["resolvedDependencies"] if "gitCommit" in d.get("digest", {}))
        return Provenance(
            builder=str(predicate["runDetails"]["builder"]["id"]),
            commit=str(source["digest"]["gitCommit"]),
            source=str(source.get("uri", "")),
            repository=str(external.get("repository", "")),
            branch=str(external.get("ref", "")),
        )
    except (KeyError, TypeError, StopIteration, AttributeError) as error:
        raise _malformed("provenance", error) from error


def vulnerabilities(
    findings: tuple[Finding, ...], *, scanner_version: str, feeds: dict[str, str], started: str, finished: str
) -> dict[str, Any]:
    """Return the predicate of vulns v0.2.

    Args:
        feeds: feed id to the time its data is of; the oldest is the database's ``lastUpdate``.
    """
    results = [
        {
            "id": f.advisory,
            "severity": [{"method": "level", "score": f.level.word}]
            + ([{"method": "CVSS", "score": str(f.score)}] if f.score is not None else []),
            "annotations": {"purl": f.component, "fixed": f.fix.best or "", "aliases": ",".join(f.ids)},
        }
        for f in findings
    ]
    return {
        "scanner": {
            "uri": "https://safeconduct.dev/scan",
            "version": scanner_version,
            "db": {"uri": ",".join(sorted(feeds)), "lastUpdate": min(feeds.values(), default="")},
            "result": results,
        },
        "metadata": {"scanStartedOn": started, "scanFinishedOn": finished},
    }


def summary(
    *, passed: bool, repository: str, policy: Digest, verified_at: str, inputs: dict[str, Digest], levels: list[str]
) -> dict[str, Any]:
    """Return the predicate of a verification summary (VSA) v1.

    Args:
        repository: the declared ``product.repository``, never a local path.
        inputs: predicate type to digest of each attestation that the verdict rests on.
    """
    return {
        "verifier": {"id": VERIFIER_ID},
        "timeVerified": verified_at,
        "resourceUri": repository,
        "policy": {"uri": "safeconduct:policy", "digest": {"sha256": policy[7:]}},
        "inputAttestations": [{"uri": name, "digest": {"sha256": d[7:]}} for name, d in sorted(inputs.items())],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": levels if passed else ["FAILED"],
        "slsaVersion": "1.2",
    }


def read_summary(predicate: dict[str, Any]) -> Summary:
    """Return the facts of a verification summary.

    Raises:
        Refused: ``malformed-predicate``.
    """
    try:
        return Summary(
            passed=predicate["verificationResult"] == "PASSED",
            verifier=str(predicate["verifier"]["id"]),
            resource=str(predicate["resourceUri"]),
            policy="sha256:" + str(predicate["policy"]["digest"]["sha256"]),
            verified_at=str(predicate.get("timeVerified", "")),
            levels=tuple(str(level) for level in predicate["verifiedLevels"]),
        )
    except (KeyError, TypeError) as error:
        raise _malformed("verification summary", error) from error


def read_scan_time(predicate: dict[str, Any]) -> str:
    """Return when a vulns predicate's scan finished, RFC 3339.

    Raises:
        Refused: ``malformed-predicate``.
    """
    try:
        return str(predicate["metadata"]["scanFinishedOn"])
    except (KeyError, TypeError) as error:
        raise _malformed("vulnerability scan", error) from error


def _malformed(what: str, error: Exception) -> Refused:
    return Refused(
        "malformed-predicate",
        f"a signed {what} lacks what its type requires",
        why=f"{type(error).__name__}: {error}",
        next_step="have its producer attest again",
    )
