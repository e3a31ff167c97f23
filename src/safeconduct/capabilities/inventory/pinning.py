"""Pinning: how firmly each declaration names one version, and what to do where it does not.

Grades: 0 nothing, 1 a range or a movable name, 2 an exact version, 3 exact with a hash, 4 exact, hash and
verified signature. A policy sets the minimum per ecosystem.
"""

import msgspec

from safeconduct.model.component import Component, Inventory, Location, Presence

HIGHEST_WITHOUT_SIGNATURE = 3

GRADES = ("not pinned", "a range", "an exact version", "exact, with hash", "exact, hash and verified signature")
"""Each grade in words."""

_INSTALLERS = frozenset({"node-modules", "dist-info", "dpkg", "apk", "rpm", "jar", "go-binary"})
_REMEDIES = {
    "npm-lock": "run 'npm install' with a current npm, so that the lock file records an integrity hash",
    "npm-manifest": "run 'npm install --package-lock-only' and commit package-lock.json; install with 'npm ci'",
    "requirements": "pin with '==' and '--hash': 'pip-compile --generate-hashes' or 'uv pip compile --generate-hashes'",
    "pyproject": "run 'uv lock' and commit uv.lock, or compile a requirements file with hashes beside it",
    "uv-lock": "run 'uv lock' again; name git sources by their full commit",
    "dockerfile": "name images by digest (FROM name:tag@sha256:…) and what RUN installs by version (curl=7.88.1-10)",
    "compose": "name the image by digest: image: name:tag@sha256:…; keep the tag for readers",
    "github-workflow": "name the action by its full commit, with the version as a comment: owner/action@<commit>  # v4",
    "yarn-lock": "run 'yarn install' with a current yarn, so that the lock file records integrity hashes",
    "pipfile": "run 'pipenv lock' and commit Pipfile.lock; install with 'pipenv sync'",
    "go-mod": "run 'go mod tidy' and commit go.sum",
    "composer": "run 'composer update --lock' and commit composer.lock; install with 'composer install'",
    "nuget-manifest": "set RestorePackagesWithLockFile and commit packages.lock.json; restore with --locked-mode",
    "maven": "name one exact version, not a range, LATEST, RELEASE or SNAPSHOT",
    "gradle-lock": "run 'gradle --write-verification-metadata sha256' and commit gradle/verification-metadata.xml",
    "winget": "give each package a version: 'winget export --include-versions'",
}
_OTHERWISE = "name one exact version and its hash"


class PinningNote(msgspec.Struct, frozen=True):
    """One declaration that could be pinned more firmly.

    Attributes:
        component: key in the inventory.
        grade: of the component: the weakest of its declarations.
        requirement: as written, empty when an exact version stands there.
        remedy: one sentence on what to do.
    """

    component: str
    grade: int
    path: str
    line: int | None
    requirement: str
    remedy: str


def pinning_notes(inventory: Inventory, *, wanted: int = HIGHEST_WITHOUT_SIGNATURE) -> tuple[PinningNote, ...]:
    """Return a note for each place of each declaration graded below ``wanted``, sorted by place.

    What is only installed or claimed declares nothing, so it has no note.
    """
    notes = [
        _note(component, place)
        for component in inventory.components
        if component.grade < wanted and component.presence != Presence.CLAIMED
        for place in component.locations
        if place.reader not in _INSTALLERS
    ]
    return tuple(sorted(notes, key=lambda note: (note.path, note.line or 0, note.component)))


def _note(component: Component, place: Location) -> PinningNote:
    return PinningNote(
        component=component.key,
        grade=component.grade,
        path=place.path,
        line=place.line,
        requirement=component.requirement or "",
        remedy=_REMEDIES.get(place.reader, _OTHERWISE),
    )
