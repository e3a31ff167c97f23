"""Evidence commands: verify, inspect, sign."""

import click

from safeconduct.cli.face import Face
from safeconduct.cli.options import command, make
from safeconduct.model.decision import Outcome
from safeconduct.phases.authority import Authority


@make()
@command(example="safeconduct verify shop.example/shop/checkout:1.0.0")
@click.argument("target")
@click.option("--repository", help="What it must vouch for; default: the repository that TARGET names.")
def verify(face: Face, authority: Authority, target: str, repository: str | None) -> None:
    """Verify everything that vouches for the image TARGET, its own bytes included.

    Exit code 0 when it is signed, has all evidence and passed a release gate, by keys that the trust store believes.
    """
    from safeconduct.capabilities.policy.engine import RegoWorker
    from safeconduct.phases.deploy.verification import verify_target

    with RegoWorker() as engine:
        done = verify_target(authority, engine, target, repository)

    def render() -> None:
        rows = [
            [c.predicate_type, c.verified.signer.subject, c.role, c.document[:19], ", ".join(c.verified.skipped)]
            for c in done.evidence.claims
        ]
        face.table(["verified", "signed by", "as", "document", "not checked"], rows)
        for refusal in done.evidence.refused:
            face.line(f"refused {refusal.document[:19]} ({refusal.error}): {refusal.problem}", colour="yellow")
        face.line(f"{target} is {done.evidence.digest}; {done.files} files read, every digest recomputed")
        face.decision(done.decision)

    told = {
        "target": target,
        "digest": done.evidence.digest,
        "files": done.files,
        "claims": [
            {
                "document": c.document,
                "predicateType": c.predicate_type,
                "role": c.role,
                "signer": c.verified.signer,
                "trustVersion": c.verified.trust_version,
                "checks": c.verified.checks,
                "skipped": c.verified.skipped,
            }
            for c in done.evidence.claims
        ],
        "refused": done.evidence.refused,
        "decision": done.decision,
    }
    face.result("verify", told, render)
    face.done(done.decision.outcome)


@make()
@command(example="safeconduct inspect oci:build/image:1.0.0")
@click.argument("target")
def inspect(face: Face, authority: Authority, target: str) -> None:
    """Show what lies beside the image TARGET. Nothing is verified: these are claims."""
    from safeconduct.evidence.claims import read_claims
    from safeconduct.evidence.targets import open_target

    repository, digest = open_target(target, authority.repository)
    claims = read_claims(repository, digest)
    rows = [
        [c.document[:19], c.predicate_type, c.hint[:16], ", ".join(s[:12] for s in c.subjects), c.problem]
        for c in claims
    ]

    def render() -> None:
        face.line(f"{target} is {digest}")
        face.table(["document", "claims to be", "key hint", "about", "problem"], rows)

    face.result("inspect", {"digest": digest, "claims": claims}, render)


@make()
@command(example="safeconduct sign shop.example/shop/checkout@sha256:… --key builder")
@click.argument("target")
@click.option("--key", default="builder", show_default=True, help="The builder key: a name or a URI.")
@click.option("--repository", help="What the signature is for; default: the repository that TARGET names.")
def sign(face: Face, authority: Authority, target: str, key: str, repository: str | None) -> None:
    """Sign the image TARGET, its index and its platform's manifest, and attach the signature to it."""
    from safeconduct.phases.build.signature import sign_image

    signed = sign_image(authority, target, key, repository)
    about = f"signed {signed.digest} as {signed.repository}"
    face.result("sign", signed, lambda: face.line(about if signed.referrer else f"{about}: it was already"))
    face.done(Outcome.PASSED)
