"""Documents that ``--json`` prints have the fields that the reference names, no others."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from safeconduct.cli.main import root

ROOT = Path(__file__).resolve().parents[2]
FEED = ROOT / "examples" / "feed"
COMMANDS = (
    ("init tree", "init"),
    ("inventory tree", "inventory"),
    ("scan tree", "scan"),
    ("sbom tree -o tree.cdx.json", "sbom"),
    ("check tree", "check"),
    (f"db update {FEED}", "db-update"),
    ("db status", "db-status"),
    ("explain CVE-2021-44906 pkg:npm/minimist@1.2.5", "explain"),
    ("ask runs pkg:npm/minimist", "ask-runs"),
    ("ask reaches CVE-2021-44906", "ask-reaches"),
    ("ask upgrades", "ask-upgrades"),
    ("graph rebuild --into rebuilt.db", "graph-rebuild"),
    ("policy show", "policy"),
    ("policy show commits-signed", "rule"),
    ("policy test", "policy-test"),
    ("keys create root", "key"),
    ("keys list", "keys"),
    ("keys export root", "public-key"),
    ("trust init trust.json --root root --scope a=shop.example/*", "trust-init"),
    ("trust scope trust.json a shop.example/shop --root root", "trust-change"),
    ("trust show trust.json", "trust"),
    ("watch pods pods.json --cluster here", "watch-pods"),
    ("config", "config"),
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small tree and settings of its own."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "requirements.txt").write_text("minimist-that-is-none==1.0\n")
    (tmp_path / "pods.json").write_text('{"apiVersion": "v1", "kind": "List", "items": []}')
    (tmp_path / "passphrase").write_text("for this test only")
    settings = 'store = "graph.db"\n[keys]\nfolder = "keys"\npassphrase_file = "passphrase"\n'
    (tmp_path / "safeconduct.toml").write_text(settings)
    monkeypatch.chdir(tmp_path)
    for name, value in (("HOME", tmp_path), ("SAFECONDUCT_CONFIG", tmp_path / "safeconduct.toml")):
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("SAFECONDUCT_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    """The script behind ``make docs``."""
    spec = importlib.util.spec_from_file_location("docs_script", ROOT / "scripts" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documented(docs: ModuleType, name: str) -> list[set[str]]:
    """Return the fields that the reference names: of the document, and of one item of its list."""
    if name in docs.RESULTS:
        struct = docs.load_struct(docs.RESULTS[name].removeprefix("[]"))
        fields = {field.encode_name for field in docs.msgspec.structs.fields(struct)}
        return [{"items"}, fields] if docs.RESULTS[name].startswith("[]") else [fields]
    text = re.sub(r"\([^)]*(\([^)]*\))?[^)]*\)", "", docs.SMALL[name])
    if text.startswith("items: list of {"):
        return [{"items"}, set(re.findall(r"\w+", text.partition("{")[2]))]
    return [set(re.findall(r"[\w-]+", text))]


def test_documents_have_the_documented_fields(place: Path, docs: ModuleType) -> None:
    assert place == Path.cwd()
    for line, name in COMMANDS:
        done = CliRunner().invoke(root, [*line.split(), "--json"])
        assert done.stdout, (line, done.output, done.exception)
        document = json.loads(done.stdout)
        assert document.pop("schema") == f"safeconduct/{name}/v1", (line, document)
        whole, *item = documented(docs, name)
        assert set(document) == whole, line
        for value in document["items"][:1] if item else []:
            assert set(value) == item[0], line


def test_an_error_is_a_document_too(place: Path, capsys: pytest.CaptureFixture[str], docs: ModuleType) -> None:
    from safeconduct.cli.face import fail
    from safeconduct.foundation.errors import Undecided

    assert place.is_dir()
    with pytest.raises(SystemExit) as ended:
        fail(Undecided("no-store", "there is no graph"), as_json=True)
    assert ended.value.code == 3
    document = json.loads(capsys.readouterr().out)
    assert document.pop("schema") == "safeconduct/error/v1"
    assert set(document) == {"id", "what", "why", "next"}
    assert all(name in docs.SMALL["error"] for name in document)
