"""``safeconduct trust``: who is believed, for what, where and until when."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from safeconduct.cli.face import Face
from safeconduct.cli.instants import NOW, Instant
from safeconduct.cli.options import add, command
from safeconduct.foundation.clock import to_datetime
from safeconduct.phases.authority import Authority

ROOT = click.option("--root", required=True, help="The root key that signs: a name in the key store or a URI.")
FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group(epilog="Example: safeconduct trust show")
def trust() -> None:
    """The trust store: a signed, versioned snapshot whose root the operator pins."""


@add(trust)
@command(example="safeconduct trust init trust.json --root root --scope shop=shop.example/shop/*")
@FILE
@ROOT
@click.option("--scope", "scopes", multiple=True, help="NAME=PATTERN[,PATTERN]; a pattern is exact or ends in /*.")
def init(face: Face, authority: Authority, file: Path, root: str, scopes: tuple[str, ...]) -> None:
    """Make a first snapshot FILE that trusts nobody yet, and say what to pin."""
    from safeconduct.phases.operate.trust import start

    if file.exists():
        raise click.UsageError(f"{str(file)!r} is there already; it is not overwritten")
    signer = authority.signer(root)
    parsed = dict(_scope(text) for text in scopes)
    file.write_bytes(start(signer, parsed, now=to_datetime(authority.clock())))
    pin = signer.public.fingerprint
    face.result(
        "trust-init", {"file": str(file), "root": pin}, lambda: face.line(f"{file}: version 1; pin its root {pin}")
    )


@add(trust, "add")
@command(
    example="safeconduct trust add trust.json --root root --name builder --key builder.pub --usage build --scope shop"
)
@FILE
@ROOT
@click.option("--name", required=True, help="What the key is called.")
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Public key.")
@click.option("--usage", "usages", multiple=True, required=True, type=click.Choice(["commit", "build", "gate"]))
@click.option("--scope", "scopes", multiple=True, required=True, help="A scope of the snapshot.")
@click.option("--principal", "principals", multiple=True, help="Whom the key stands for.")
@click.option("--days", default=365.0, show_default=True, help="How long it is valid.")
@click.option("--demo", is_flag=True, help="Mark it as a demonstration's key; a server will not start with it.")
def add_key(
    face: Face,
    authority: Authority,
    file: Path,
    root: str,
    name: str,
    key: Path,
    usages: tuple[str, ...],
    scopes: tuple[str, ...],
    principals: tuple[str, ...],
    days: float,
    *,
    demo: bool,
) -> None:
    """Trust one more key, for these usages and scopes only."""
    from safeconduct.model.identity import Usage
    from safeconduct.phases.operate import trust as drafts

    now = to_datetime(authority.clock())
    wanted = drafts.NewKey(
        name,
        key.read_text("utf-8"),
        tuple(Usage(u) for u in usages),
        scopes,
        principals or (name,),
        now + timedelta(days=days),
        demo,
    )
    _change(face, authority, file, root, lambda data, signer: drafts.add_key(data, wanted, signer, now=now))


@add(trust)
@command(
    example="safeconduct trust authority trust.json --root root --name ci --trusted-root root.json --scope shop "
    "--usage build --identity https://ci.example/shop/.github/workflows/release.yml@refs/heads/main https://issuer.example"
)
@FILE
@ROOT
@click.option("--name", required=True, help="What the authority is called.")
@click.option(
    "--trusted-root",
    "document",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its trusted root document (sigstore's form): authorities, logs, clocks.",
)
@click.option(
    "--identity",
    "identities",
    nargs=2,
    multiple=True,
    required=True,
    metavar="SUBJECT ISSUER",
    help="Whom of its certificates' holders to believe; * stands for characters within one part.",
)
@click.option("--usage", "usages", multiple=True, required=True, type=click.Choice(["commit", "build", "gate"]))
@click.option("--scope", "scopes", multiple=True, required=True, help="A scope of the snapshot.")
@click.option("--days", default=365.0, show_default=True, help="How long it is valid.")
def authority(
    face: Face,
    authority: Authority,
    file: Path,
    root: str,
    name: str,
    document: Path,
    identities: tuple[tuple[str, str], ...],
    usages: tuple[str, ...],
    scopes: tuple[str, ...],
    days: float,
) -> None:
    """Trust identities that a certificate authority vouches for (keyless signatures), in these scopes only."""
    from safeconduct.model.identity import Usage
    from safeconduct.phases.operate import trust as drafts

    now = to_datetime(authority.clock())
    wanted = drafts.NewAuthority(
        name,
        document.read_text("utf-8"),
        identities,
        tuple(Usage(u) for u in usages),
        scopes,
        now + timedelta(days=days),
    )
    _change(face, authority, file, root, lambda data, signer: drafts.add_authority(data, wanted, signer, now=now))


@add(trust)
@command(example="safeconduct trust scope trust.json shop 'shop.example/shop/*' --root root")
@FILE
@click.argument("name")
@click.argument("patterns", nargs=-1, required=True)
@ROOT
def scope(face: Face, authority: Authority, file: Path, name: str, patterns: tuple[str, ...], root: str) -> None:
    """Make or replace the scope NAME."""
    from safeconduct.phases.operate import trust as drafts

    now = to_datetime(authority.clock())
    _change(face, authority, file, root, lambda data, signer: drafts.set_scope(data, name, patterns, signer, now=now))


@add(trust)
@command(example="safeconduct trust revoke trust.json builder --root root --reason compromised")
@FILE
@click.argument("name")
@ROOT
@click.option("--reason", required=True, help="Why; shown in every refusal.")
@click.option("--since", type=Instant(), help="RFC 3339 or now; what was recorded before stays believed.")
def revoke(face: Face, authority: Authority, file: Path, name: str, root: str, reason: str, since: int | None) -> None:
    """Believe the key NAME no longer."""
    from safeconduct.phases.operate import trust as drafts

    now = to_datetime(authority.clock())
    at = None if since is None else now if since == NOW else to_datetime(since)
    _change(
        face, authority, file, root, lambda data, signer: drafts.revoke_key(data, name, reason, at, signer, now=now)
    )


@add(trust)
@command(example="safeconduct trust sign trust.json --root root")
@FILE
@ROOT
def sign(face: Face, authority: Authority, file: Path, root: str) -> None:
    """Sign the snapshot anew: the next version, saying the same, valid for another year."""
    from safeconduct.phases.operate import trust as drafts

    now = to_datetime(authority.clock())
    _change(face, authority, file, root, lambda data, signer: drafts.renew(data, signer, now=now))


@add(trust)
@command(example="safeconduct trust install trust.json")
@FILE
def install(face: Face, authority: Authority, file: Path) -> None:
    """Put a snapshot in force: check it against the pinned root, keep it, record it in the graph."""
    from safeconduct.phases.operate import trust as drafts

    done = drafts.install(authority, file.read_bytes())
    told = {"version": done.version, "keys": len(done.snapshot.keys)}
    face.result("trust-install", told, lambda: face.line(f"trust version {done.version} is in force"))


@add(trust)
@command(example="safeconduct trust show --json")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show(face: Face, authority: Authority, file: Path | None) -> None:
    """Show the trust store in force, or what FILE says (which is then not believed)."""
    from safeconduct.phases.operate import trust as drafts

    snapshot = drafts.peek(file.read_bytes()) if file else authority.required_trust().snapshot
    revoked = {r.fingerprint: r.reason for r in snapshot.revoked}
    rows = []
    for key in snapshot.keys:
        fingerprint = drafts.fingerprint_of(key)
        until = f"{key.not_after:%Y-%m-%d %H:%M}"
        state = "revoked: " + revoked[fingerprint] if fingerprint in revoked else ("demo" if key.demo else "")
        rows.append([key.name, ", ".join(key.usages), ", ".join(key.scopes), ", ".join(key.principals), until, state])

    def render() -> None:
        face.line(
            f"version {snapshot.version}, expires {snapshot.expires:%Y-%m-%d}" + ("" if not file else ", not checked")
        )
        for name, patterns in sorted(snapshot.scopes.items()):
            face.line(f"scope {name}: {', '.join(patterns)}")
        face.table(["key", "for", "where", "who", "until", ""], rows)
        believed = [
            [
                a.name,
                ", ".join(a.usages),
                ", ".join(a.scopes),
                f"{i.subject} by {i.issuer}",
                f"{a.not_after:%Y-%m-%d %H:%M}",
            ]
            for a in snapshot.authorities
            for i in a.identities
        ]
        face.table(["authority", "for", "where", "whom", "until"], believed)

    face.result("trust", snapshot, render)


def _change(face: Face, authority: Authority, file: Path, root: str, change: Callable[[bytes, Any], bytes]) -> None:
    data = change(file.read_bytes(), authority.signer(root))
    new = file.with_name(file.name + ".new")
    new.write_bytes(data)
    new.replace(file)
    from safeconduct.phases.operate.trust import peek

    version = peek(data).version
    face.result(
        "trust-change", {"file": str(file), "version": version}, lambda: face.line(f"{file}: version {version}")
    )


def _scope(text: str) -> tuple[str, tuple[str, ...]]:
    name, separator, patterns = text.partition("=")
    if not separator:
        raise click.UsageError(f"a scope is NAME=PATTERN, not {text!r}")
    return name, tuple(patterns.split(","))
