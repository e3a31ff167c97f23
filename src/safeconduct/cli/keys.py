"""``safeconduct keys``: the certificate store's commands."""

from pathlib import Path

import click

from safeconduct.cli.face import Face
from safeconduct.cli.options import add, command
from safeconduct.phases.authority import Authority


@click.group(epilog="Example: safeconduct keys create builder")
def keys() -> None:
    """Create, list and export signing keys."""


@add(keys)
@command(example="safeconduct keys create builder --algorithm ecdsa-p256")
@click.argument("name")
@click.option("--algorithm", default="ecdsa-p256", show_default=True, help="ecdsa-p256 or ed25519.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Default: the setting keys.folder.")
def create(face: Face, authority: Authority, name: str, algorithm: str, folder: Path | None) -> None:
    """Create key NAME, encrypted under the passphrase in the file that keys.passphrase_file names."""
    from safeconduct.capabilities.signing.key_store import create_key

    where = folder or _folder(authority)
    signer = create_key(where, name, authority.passphrase(), algorithm)
    made = {"name": name, "fingerprint": signer.public.fingerprint, "public": str(where / f"{name}.pub")}
    face.result("key", made, lambda: face.line(f"{name}  {signer.public.fingerprint}  {made['public']}"))


@add(keys, "list")
@command(example="safeconduct keys list --json")
def list_keys(face: Face, authority: Authority) -> None:
    """List the keys in the store with their fingerprints."""
    from safeconduct.capabilities.signing.public_keys import load_pem

    found = [
        {"name": file.stem, "fingerprint": load_pem(file.read_bytes()).fingerprint, "file": str(file)}
        for file in sorted(_folder(authority).glob("*.pub"))
        if file.read_bytes().startswith(b"-----BEGIN PUBLIC KEY")
    ]
    face.result("keys", found, lambda: face.table(["name", "fingerprint", "file"], [list(k.values()) for k in found]))


@add(keys)
@command(example="safeconduct keys export builder > builder.pub")
@click.argument("name")
def export(face: Face, authority: Authority, name: str) -> None:
    """Print the public half of key NAME as PEM."""
    file = _folder(authority) / f"{name}.pub"
    if not file.is_file():
        raise click.UsageError(f"there is no key {name!r} in {file.parent}")
    pem = file.read_text("utf-8")
    face.result("public-key", {"name": name, "pem": pem}, lambda: face.line(pem.rstrip()))


def _folder(authority: Authority) -> Path:
    return Path(authority.settings.keys.folder or authority.data / "keys")
