"""What the operator and the user said, opened: trust, policy, graph, registries, keys. All phases start from it.

Nothing here is read from what is judged, except that a tree's own file may tighten policy parameters.
"""

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from safeconduct.capabilities.graph.holdings import commits_seen
from safeconduct.capabilities.graph.store import open_graph
from safeconduct.capabilities.policy.pack import Pack, set_parameters
from safeconduct.capabilities.policy.store import find_pack
from safeconduct.capabilities.registry.credentials import Credentials, anonymous, read_docker_config
from safeconduct.capabilities.registry.repository import Repository
from safeconduct.capabilities.signing.key_store import FileSigner, load_signer
from safeconduct.capabilities.signing.trust import Roots, TrustStore, load_trust
from safeconduct.capabilities.vulnerabilities.advisories import StoredAdvisories
from safeconduct.capabilities.vulnerabilities.scan import AdvisorySource, NoAdvisories
from safeconduct.foundation.clock import Clock, from_rfc3339, to_datetime
from safeconduct.foundation.errors import BadUsage, Undecided
from safeconduct.foundation.settings import FILE_NAME, Settings, TreeSettings
from safeconduct.foundation.store import Store
from safeconduct.model.digest import sha256
from safeconduct.model.exemption import Exemption


class Authority:
    """The operator's word, with the clock and the environment that the face passed in."""

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        clock: Clock,
        data: Path,
        prompt: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        """Open nothing yet.

        Args:
            data: the user's data folder.
            prompt: asks a person for the keys' passphrase; gives None where nobody is there.
        """
        self._prompt = prompt
        self.settings = settings
        self.environment = environment
        self.clock = clock
        self.data = data

    def trust(self) -> TrustStore | None:
        """Return the trust store, None when none is configured.

        The highest version ever accepted under these pins is kept beside the user's data; a lower one is refused.

        Raises:
            Refused: not signed by the pinned root, malformed, or rolled back.
            Undecided: ``no-trust``: configured and not there; ``trust-expired``.
        """
        wanted = self.settings.trust
        if not wanted.snapshot:
            return None
        try:
            data = Path(wanted.snapshot).read_bytes()
        except OSError as error:
            raise Undecided(
                "no-trust",
                f"the trust snapshot {wanted.snapshot!r} cannot be read",
                why=str(error.strerror),
                next_step="fetch it from the operator, or change the setting trust.snapshot",
            ) from error
        return self.load_snapshot(data)

    def load_snapshot(self, data: bytes) -> TrustStore:
        """Return the trust store in a snapshot file, by the operator's pins; its version is remembered.

        Raises:
            Refused, Undecided: as ``load_trust``.
        """
        seen = _SeenVersions(self.data / "trust-seen.json")
        roots = Roots(self.settings.trust.root, self.settings.trust.threshold)
        store = load_trust(data, roots, now=to_datetime(self.clock()), highest_seen=seen.highest(roots))
        seen.note(roots, store.version)
        return store

    def required_trust(self) -> TrustStore:
        """Return the trust store.

        Raises:
            Undecided: ``no-trust`` when none is configured; else as ``trust``.
        """
        trust = self.trust()
        if trust is None:
            raise Undecided(
                "no-trust",
                "there is no trust store",
                why="the settings trust.snapshot and trust.root are not set, so no signature can be believed",
                next_step="safeconduct trust init, or name the operator's snapshot",
            )
        return trust

    def pack(self, tree: TreeSettings | None = None) -> Pack:
        """Return the policy in force: the operator's, tightened by what the tree asks.

        Raises:
            Undecided: no such policy, or one that cannot be used.
            BadUsage: an unknown parameter, or a tree that would loosen one.
        """
        pack = find_pack(self.settings.policy.pack)
        pack = set_parameters(pack, self.settings.policy.parameters, only_tighten=False, origin="the settings")
        if tree is None:
            return pack
        return set_parameters(pack, tree.parameters, only_tighten=True, origin=FILE_NAME)

    def graph(self, *, must_exist: bool = False) -> Store:
        """Return the graph, open; the caller closes it."""
        return open_graph(Path(self.settings.store), must_exist=must_exist)

    def first_seen(self, repository: str) -> dict[str, datetime]:
        """Return when each commit of a repository was first recorded; nothing without a graph."""
        if not self.has_graph():
            return {}
        with self.graph() as store:
            return {commit: to_datetime(at) for commit, at in commits_seen(store, repository).items()}

    def has_graph(self) -> bool:
        """Return whether anything was ever recorded."""
        return Path(self.settings.store).exists()

    def exemptions(self) -> tuple[Exemption, ...]:
        """Return all granted exemptions; those that have ended are left to the judge.

        Raises:
            BadUsage: ``bad-exemption``: a file that cannot be read as a list of exemptions.
        """
        found: list[Exemption] = []
        for name in self.settings.exemptions:
            try:
                granted = msgspec.json.decode(Path(name).read_bytes(), type=list[Exemption])
                for exemption in granted:
                    from_rfc3339(exemption.until)
            except (OSError, ValueError, msgspec.DecodeError) as error:
                raise BadUsage(
                    "bad-exemption", f"the exemptions in {name!r} cannot be used", why=str(error),
                    next_step="each needs rule, scope, reason, owner and until (RFC 3339)",
                ) from error  # fmt: skip
            found.extend(granted)
        return tuple(found)

    def signer(self, key: str) -> FileSigner:
        """Return the signer that a key's name or URI means.

        Raises:
            Undecided, Refused: as ``load_signer``; BadUsage: ``no-passphrase``.
        """
        uri = key if ":" in key else f"file:{Path(self.settings.keys.folder) / (key + '.key')}"
        return load_signer(uri, self.passphrase())

    def passphrase(self) -> bytes:
        """Return the keys' passphrase, from the file that the settings name, else from whoever is there to ask.

        Raises:
            BadUsage: ``no-passphrase``.
        """
        file = self.settings.keys.passphrase_file
        why = "keys.passphrase_file is not set, and nobody is there to be asked"
        if file:
            try:
                return Path(file).read_bytes().strip()
            except OSError as error:
                why = f"{file}: {error.strerror}"
        elif given := self._prompt():
            return given
        raise BadUsage(
            "no-passphrase",
            "there is no passphrase for the keys",
            why=why,
            next_step="set keys.passphrase_file to a file that only you can read",
        )

    def repository(self, name: str) -> Repository:
        """Return the repository that ``name`` (host/path) means; only configured registries are ever contacted."""
        # Here, because it brings HTTP along, which most commands do without: a third of the start of `ask`.
        from safeconduct.capabilities.registry.locations import open_repository

        return open_repository(name, self.settings.registries, credentials=self._credentials())

    def _credentials(self) -> Credentials:
        file = self.settings.registry_auth
        if not file:
            return anonymous
        try:
            return read_docker_config(Path(file).read_bytes())
        except OSError as error:
            raise BadUsage(
                "bad-registry-auth",
                f"the registry credentials {file!r} cannot be read",
                why=str(error.strerror),
                next_step="correct the setting registry_auth",
            ) from error


def advisories_in(store: Store | None) -> AdvisorySource:
    """Return the advisory data of a graph; without a graph there is none, and nothing is clean."""
    return StoredAdvisories(store) if store is not None else NoAdvisories()


class _SeenVersions:
    """The highest trust version seen for each set of pins, in one small file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def highest(self, roots: Roots) -> int:
        return int(self._read().get(self._key(roots), 0))

    def note(self, roots: Roots, version: int) -> None:
        seen = self._read()
        if version <= seen.get(self._key(roots), 0):
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        new.write_text(json.dumps({**seen, self._key(roots): version}, sort_keys=True))
        new.replace(self._path)

    def _read(self) -> dict[str, int]:
        try:
            value = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Undecided(
                "trust-memory-lost", f"{self._path} cannot be read", why=f"{error}; it remembers the newest trust seen",
                next_step="restore it, or remove it after checking the snapshot's version with the operator",
            ) from error  # fmt: skip
        return {str(k): int(v) for k, v in value.items()}

    @staticmethod
    def _key(roots: Roots) -> str:
        return sha256("\n".join(sorted(roots.fingerprints)).encode())
