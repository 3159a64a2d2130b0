"""The house rules that a test can hold."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml

from app.main import bare_app

ROOT = Path(__file__).parents[1]
CAPABILITIES = {"harm", "triage"}
NOT_FOR_SERVING = {
    "torch",
    "pandas",
    "sklearn",
    "sksurv",
    "xgboost",
    "pyarrow",
    "onnx",
    "joblib",
    "pickle",
    "scipy",
    "yaml",
    "matplotlib",
    "jinja2",
    "distributed",
    "dask",
}

EXTRA, WITH_EXTRAS = {"pyarrow", "distributed"}, {"app.bulk.parquet", "app.bulk.cluster"}
ARROW_WITHIN = ("app.extract.", "app.bulk.table.")
"""What an extra brings, and who may import it."""

RULE_STANDS_AT = {"Fault": 1, "PydanticCustomError": 0}
NOT_OF_REQUESTS = {"app.audit.records", "app.security", "app.text.baseline"}
"""Whose rules no caller of the service can break: records of our own, tokens of the command, manifests."""


def modules(folder: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> set[str]:
    """Full names a module imports anywhere, `from a import b` as both `a` and `a.b`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rules_of(tree: ast.Module) -> Iterator[str]:
    """Names of rules written out in calls of `Fault` and, for the form, of pydantic's own error."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in RULE_STANDS_AT:
            told = call.args[RULE_STANDS_AT[call.func.id]]
            either = [told.body, told.orelse] if isinstance(told, ast.IfExp) else [told]
            yield from (str(one.value) for one in either if isinstance(one, ast.Constant))


APP = dict(modules("app"))
ALL = APP | dict(modules("training"))


@pytest.mark.parametrize("name", APP)
def test_app_imports_nothing_it_must_not(name: str) -> None:
    tops = {imported.split(".")[0] for imported in imports(APP[name])}
    assert "training" not in tops
    assert not tops & (NOT_FOR_SERVING - (EXTRA if name in WITH_EXTRAS or name.startswith(ARROW_WITHIN) else set()))


def test_audit_knows_no_capability() -> None:
    for name, tree in APP.items():
        if name.startswith("app.audit"):
            assert not {
                part for part in imports(tree) if part.split(".")[1:2] and part.split(".")[1] in CAPABILITIES
            }, name


def test_scoring_knows_no_triage() -> None:
    for name, tree in APP.items():
        if name.startswith("app.harm"):
            assert not {one for one in imports(tree) if one.startswith("app.triage")}, name


def test_scoring_is_pure() -> None:
    pure = (
        "service",
        "features",
        "history",
        "model",
        "shapley",
        "explanation",
        "incidents",
        "incident_view",
        "wording",
        "versions",
        "replay",
        "factor_words",
        "caveats",
        "targets",
        "view",
        "explaining",
        "survival",
        "golden",
        "answers",
        "explanation_answers",
        "subject",
        "perspective_words",
    )
    triage = ("app.triage.service", "app.triage.records")
    for name in (*(f"app.harm.{module}" for module in pure), *triage):
        tops = {imported.split(".")[0] for imported in imports(ALL[name])}
        assert not tops & {"fastapi", "starlette", "sqlalchemy", "httpx2"}, name


def test_only_generator_and_oracle_read_the_truth_behind_synthetic_people() -> None:
    truths = {"training.synthetic.latents", "training.synthetic.truth"}
    readers = {name for name, tree in ALL.items() if imports(tree) & truths}
    allowed = ("training.synthetic.", "training.oracle.", "training.fairness.")  # fairness measures against true harm
    assert readers
    assert not {name for name in readers if not name.startswith(allowed)}


def test_nothing_a_fit_is_made_of_knows_of_the_truth() -> None:
    """No module behind `dayzero-train fit` imports the generator, the oracle or a measurement, or as much as says it."""
    reached, waiting = set(), ["training.harm.command", "app.extract.load", "training.labels", "training.split"]
    while waiting:
        name = waiting.pop()
        if name in ALL and name not in reached:
            reached.add(name)
            waiting += imports(ALL[name])
    assert {"training.harm.fit", "training.harm.classifier", "app.harm.features"} <= reached
    outside = ("training.synthetic", "training.oracle", "training.evaluation.bench", "training.validation")
    assert not {name for name in reached if name.startswith(outside)}
    for name in reached:
        words = {
            getattr(node, "id", "") or getattr(node, "attr", "") or getattr(node, "arg", "")
            for node in ast.walk(ALL[name])
        }
        words |= {str(node.value) for node in ast.walk(ALL[name]) if isinstance(node, ast.Constant)}
        assert not {word for word in words if word and "latents" in word.lower()}, name


def test_no_import_cycles() -> None:
    graph = {name: {one for one in imports(tree) if one in ALL and one != name} for name, tree in ALL.items()}
    # a package's __init__ is imported by its members without depending on them
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            for following in graph[name]:
                visit(following, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_openapi_yaml_is_what_the_app_generates() -> None:
    kept = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    assert kept == bare_app().openapi(), "run `make openapi`"


def test_every_field_of_the_api_is_described() -> None:
    document = bare_app().openapi()
    fields = {
        f"{schema}.{name}": told
        for schema, model in document["components"]["schemas"].items()
        for name, told in model.get("properties", {}).items()
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            fields |= {f"{method} {path} {one['name']}": one for one in operation.get("parameters", [])}
    assert len(fields) > 200
    silent = sorted(name for name, told in fields.items() if not told.get("description", "").strip())
    assert not silent, "a docstring under the field says what it is"


def test_every_field_of_an_answer_is_in_the_guide_for_readers() -> None:
    schemas = bare_app().openapi()["components"]["schemas"]
    reached, waiting = set(), ["ScoreAnswer", "ScoreLine"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += re.findall(r"#/components/schemas/(\w+)", json.dumps(schemas[name]))
    assert {"HarmAnswer", "CurveFromAsOf", "IncidentEvidence", "Removal"} <= reached
    fields = {field for name in reached - {"ScoreLine"} for field in schemas[name]["properties"]}
    guide = (ROOT / "docs/reading_a_score.md").read_text(encoding="utf-8")
    told = {word for code in re.findall(r"`([^`]+)`", guide) for word in re.findall(r"\w+", code)}
    assert not fields - told, "docs/reading_a_score.md says what each field means"


def test_every_rule_a_request_may_break_is_in_the_catalogue() -> None:
    catalogue = (ROOT / "docs/problems.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z0-9-]+)`", catalogue))
    rules = {rule for name, tree in APP.items() if name not in NOT_OF_REQUESTS for rule in rules_of(tree)}
    assert len(rules) > 30
    assert not rules - told, "docs/problems.md says what each rule means"


def test_only_known_names_at_the_top() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    assert {name.split("/")[0] for name in tracked if name} <= {
        ".ci", ".dockerignore", ".gitignore", "CHANGELOG.md", "Dockerfile", "LICENSE", "Makefile", "README.md", "app",
        "benchmarks", "constraints.txt", "docs", "model_artifacts", "openapi.yaml", "pyproject.toml", "requirements.txt", "tests",
        "training",
    }  # fmt: skip


def test_no_installed_distribution_owns_our_top_level_names() -> None:
    for found in distributions():
        if found.metadata["Name"] == "dayzero":
            continue
        tops = (found.read_text("top_level.txt") or "").split()
        assert not {"app", "training"} & set(tops), found.metadata["Name"]


@pytest.mark.slow
def test_the_serving_environment_holds_nothing_for_training() -> None:
    serving = ROOT / ".venv/bin/python"
    if not serving.exists():
        pytest.skip("make demo has not made .venv")
    probe = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    names = ["torch", "pandas", "sklearn", "sksurv", "xgboost", "pyarrow", "onnx", "joblib", "yaml", "pytest"]
    found = subprocess.run([serving, "-c", probe, *names], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


def test_it_speaks_of_itself_alone() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    for name in tracked:
        path = ROOT / name
        if name and path.is_file() and path.suffix in {".py", ".md", ".toml", ".yaml", ".txt", ".yml", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            for word in ("/" + "work/", "/" + "root/", "/tmp/" + "dz"):
                assert word not in text, f"{name} names a machine path"


def test_this_python_is_supported() -> None:
    assert sys.version_info >= (3, 11)
