"""The pages say what the code says: reference pages, error ids, commands in the README, links."""

import ast
import importlib.util
import json
import re
import tomllib
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from safeconduct.capabilities.policy.cases import read_cases, run_case
from safeconduct.capabilities.policy.engine import RegoWorker
from safeconduct.capabilities.policy.pack import load_pack

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "safeconduct"
DEFAULT_PACK = SOURCE / "capabilities" / "policy" / "packs" / "default"
CLASSES = {"Refused": 1, "BadUsage": 2, "Undecided": 3}
ROW = re.compile(
    r"^\| `(?P<id>[a-z0-9-]+)` \| (?P<exits>[123, ]+) \| (?P<means>[^|]+) \| (?P<next>[^|]+) \|$", re.MULTILINE
)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    """The script behind ``make docs``."""
    spec = importlib.util.spec_from_file_location("docs_script", ROOT / "scripts" / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["commands.md", "settings.md", "rules.md", "readers.md", "json.md"])
def test_a_reference_page_is_what_the_code_says(docs: ModuleType, page: str) -> None:
    assert (docs.PAGES / page).read_text("utf-8") == docs.PAGE_WRITERS[page](), "type: make docs"


def test_every_json_result_has_its_shape_documented(docs: ModuleType) -> None:
    assert docs.result_names() == set(docs.RESULTS) | set(docs.SMALL)


def test_every_command_has_an_example_in_its_help(docs: ModuleType) -> None:
    without = [name for name, command in docs.commands() if not has_example(name, command.epilog or "")]
    assert without == [], "an epilog 'Example: safeconduct …' is missing"


def test_every_command_says_in_its_help_what_it_does(docs: ModuleType) -> None:
    assert [name for name, command in docs.commands() if not command.help] == []


def test_the_readme_names_every_command(docs: ModuleType) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    leaves = [name for name, command in docs.commands() if not hasattr(command, "commands")]
    assert [name for name in leaves if f"safeconduct {name}" not in readme] == []


def test_commands_in_the_pages_exist(docs: ModuleType) -> None:
    known = {name for name, _ in docs.commands()}
    groups = {name for name, command in docs.commands() if hasattr(command, "commands")}
    wrong = []
    for page in pages():
        if "decisions" in page.parts:
            continue
        for words in re.findall(r"safeconduct ([a-z]+(?: [a-z]+)?)", _code(page.read_text("utf-8"))):
            first, _, second = words.partition(" ")
            if first not in known or (first in groups and second and f"{first} {second}" not in known):
                wrong.append(f"{page.name}: safeconduct {words}")
    assert wrong == []


def test_every_error_id_is_documented_with_its_exit_code() -> None:
    documented = {m["id"]: {int(n) for n in m["exits"].split(",")} for m in ROW.finditer(_errors_page())}
    assert documented == raised_ids()


def test_error_ids_are_listed_once_and_in_order() -> None:
    listed = [m["id"] for m in ROW.finditer(_errors_page())]
    assert listed == sorted(set(listed))


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_examples_in_the_pages_are_well_formed() -> None:
    read = {"toml": tomllib.loads, "json": json.loads, "yaml": lambda text: list(yaml.safe_load_all(text))}
    for page in pages():
        for kind, parse in read.items():
            for text in fenced(page.read_text("utf-8"), kind):
                assert parse(text), f"{page.name}: {text}"


def test_the_policy_page_shows_a_rule_and_a_case_that_hold() -> None:
    page = (ROOT / "docs" / "how-to" / "policy.md").read_text("utf-8")
    rego, (added, case) = fenced(page, "rego")[0], fenced(page, "yaml")
    files = {file.name: file.read_bytes() for file in DEFAULT_PACK.iterdir() if file.suffix in {".rego", ".yaml"}}
    head, more = yaml.safe_load(files["pack.yaml"]), yaml.safe_load(added)
    head["gates"]["deploy"] += more["gates"]["deploy"]
    head["parameters"] |= more["parameters"]
    files |= {"pack.yaml": yaml.safe_dump(head).encode(), "only-our-registry.rego": rego.encode()}
    pack = load_pack(files)
    (read,) = read_cases({"shop_test.yaml": case.encode()})
    with RegoWorker() as engine:
        assert run_case(*read, pack, engine).problem == ""


def test_ids_that_a_helper_passes_on_are_found() -> None:
    text = 'def lost(error_id):\n    return Undecided(error_id, "x")\nlost("gone")\nraise Refused("no", "y")\n'
    assert ids_in(ast.parse(text)) == {"gone": {3}, "no": {1}}


def fenced(text: str, kind: str) -> list[str]:
    """Return what stands in the fences of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def has_example(name: str, epilog: str) -> bool:
    """Return whether an epilog shows the command itself; others may stand before it in a pipe."""
    return epilog.startswith("Example: ") and f"safeconduct {name}" in epilog


def pages() -> list[Path]:
    """Return every page that people read."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def raised_ids() -> dict[str, set[int]]:
    """Return every error id in the source with the exit codes it comes with."""
    found: dict[str, set[int]] = defaultdict(set)
    for file in SOURCE.rglob("*.py"):
        for error_id, exits in ids_in(ast.parse(file.read_text("utf-8"))).items():
            found[error_id] |= exits
    return dict(found)


def ids_in(tree: ast.Module) -> dict[str, set[int]]:
    """Return the ids of one module: first arguments of our errors, through helpers that pass one on as well."""
    makers = dict(CLASSES)
    found: dict[str, set[int]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for call in _calls(node):
                first = call.args[0] if call.args else None
                if _name(call) in CLASSES and isinstance(first, ast.Name) and first.id == node.args.args[0].arg:
                    makers[node.name] = CLASSES[_name(call)]
        if isinstance(node, ast.ClassDef):
            bases = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id in CLASSES]
            for call in _calls(node) if bases else []:
                if _name(call) == "__init__" and call.args and isinstance(call.args[0], ast.Constant):
                    found[call.args[0].value].add(CLASSES[bases[0]])
    for call in _calls(tree):
        if _name(call) in makers and call.args and isinstance(call.args[0], ast.Constant):
            found[call.args[0].value].add(makers[_name(call)])
    return dict(found)


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _code(text: str) -> str:
    """Return the parts of a page that are code: only there a command must exist."""
    blocks = re.findall(r"```(?:sh|text|yaml)?[^\n]*\n(.*?)```", text, re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


def _errors_page() -> str:
    return (ROOT / "docs" / "errors.md").read_text("utf-8")
