"""What lies beside an artefact: read only whole, unchanged and its own, and served as what it is."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.artifacts import load_bundle, load_current
from app.database import sqlite_url
from app.documents import LIST, MEDIA
from app.errors import SetupError
from tests.app.service_fixtures import Client, running
from tests.app.test_api import check_problem
from tests.toy_bundle import write_toy
from tests.toy_documents import SCRIPT, STYLE, policy_hash, write_documents

FAMILY = "/models/stalking-nominal"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_documents(write_toy(tmp_path_factory.mktemp("artifacts")))


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("home")
    with running(sqlite_url(home), home, folder.parents[1]) as client:
        yield client


def edit(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        listed = json.loads((folder / LIST).read_text())
        change(listed)
        (folder / LIST).write_text(json.dumps(listed))

    return apply


def linked(name: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / name).rename(folder.parent / "elsewhere")
        (folder / name).symlink_to(folder.parent / "elsewhere")

    return apply


def huge(folder: Path) -> None:
    with (folder / "evaluation.html").open("wb") as file:
        file.truncate((16 << 20) + 1)


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "card edited by hand": (lambda folder: (folder / "model_card.md").write_text("Perfect."), "model_card.md"),
    "page missing": (lambda folder: (folder / "evaluation.html").unlink(), "evaluation.html"),
    "page too large": (huge, "larger than 16 MiB"),
    "record a symbolic link": (linked("atrs.json"), "atrs.json is a symbolic link"),
    "list a symbolic link": (linked(LIST), "documents.json is a symbolic link"),
    "list a link to nowhere": (
        lambda folder: ((folder / LIST).unlink(), (folder / LIST).symlink_to("nowhere")),
        "documents.json is a symbolic link",
    ),
    "list not JSON": (lambda folder: (folder / LIST).write_text("{"), "documents.json"),
    "list binary": (lambda folder: (folder / LIST).write_bytes(b"\xff\x00"), "documents.json"),
    "another artefact's": (edit(lambda listed: listed.update(manifest_sha256="0" * 64)), "another artefact"),
    "a document not listed": (edit(lambda listed: listed["files"].pop("atrs.md")), "atrs.md"),
    "other format": (edit(lambda listed: listed.update(format=2)), "format"),
    "a policy that lets anything through": (edit(lambda listed: listed.update(script="unsafe-inline")), "script"),
    "evaluation not JSON": (lambda folder: write_documents(folder, evaluation__json="{"), "evaluation.json is not JSON"),
    "evaluation with NaN": (lambda folder: write_documents(folder, evaluation__json='{"a": NaN}'), "finite-numbers"),
    "evaluation a list": (lambda folder: write_documents(folder, evaluation__json="[]"), "not a JSON object"),
    "covenant of another shape": (lambda folder: write_documents(folder, covenant__json="{}"), "covenant.json"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "named"), BROKEN.values(), ids=BROKEN)
def test_broken_documents_stop_the_start_by_name(tmp_path: Path, spoil: Callable[[Path], Any], named: str) -> None:
    folder = write_documents(write_toy(tmp_path))
    assert load_current(tmp_path)["stalking-nominal"].documents is not None
    spoil(folder)
    with pytest.raises(SetupError, match=named):
        load_current(tmp_path)
    load_bundle(folder)  # the artefact itself is whole: it can be measured, and its documents written, again


def test_an_artefact_that_was_never_evaluated_says_so(sqlite_service: Client) -> None:
    card = sqlite_service.get(FAMILY).json()
    assert (card["status"], card["evaluation"], card["atrs"], card["documents"]) == ("not evaluated", None, None, [])
    covenant = sqlite_service.get(f"{FAMILY}/covenant").json()
    assert (covenant["status"], covenant["principles"], covenant["parts"]) == ("not evaluated", [], [])
    assert "dayzero-train evaluate" in covenant["notice"]
    assert sqlite_service.get(FAMILY, Accept="text/html,*/*;q=0.8").headers["content-type"] == "application/json"
    check_problem(sqlite_service.get(FAMILY, Accept="text/html"), 406, "not-acceptable")
    check_problem(sqlite_service.get(f"{FAMILY}/documents/atrs.md"), 404, "not-found")


def test_the_whole_evaluation_is_in_the_answer(documented: Client, folder: Path) -> None:
    card = documented.get(FAMILY).json()
    assert card["status"] == "evaluated"
    assert card["evaluation"] == json.loads((folder / "evaluation.json").read_text())
    assert card["atrs"] == json.loads((folder / "atrs.json").read_text())
    assert card["features"][0] == "age_at_offence"
    for link in card["documents"]:
        answer = documented.get(link["path"])
        assert answer.content == (folder / link["name"]).read_bytes()
        assert answer.headers["content-type"].split(";")[0] == link["media_type"] == MEDIA[link["name"]]
    assert {link["name"] for link in card["documents"]} == set(MEDIA)


@pytest.mark.parametrize(
    ("accept", "name"),
    [("text/html", "evaluation.html"), ("text/markdown", "model_card.md"),
     ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "evaluation.html")],
)  # fmt: skip
def test_page_and_card_by_accept(documented: Client, folder: Path, accept: str, name: str) -> None:
    answer = documented.get(FAMILY, Accept=accept)
    assert answer.status_code == 200
    assert answer.content == (folder / name).read_bytes()
    assert answer.headers["content-type"] == f"{MEDIA[name]}; charset=utf-8"  # type: ignore[index]
    assert answer.headers["cache-control"] == "no-store"


def test_only_the_page_s_own_style_and_script_run(documented: Client) -> None:
    for path, accept in ((FAMILY, "text/html"), (f"{FAMILY}/documents/evaluation.html", "*/*")):
        policy = documented.get(path, Accept=accept).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert f"style-src '{policy_hash(STYLE)}'" in policy
        assert f"script-src '{policy_hash(SCRIPT)}'" in policy
        assert "unsafe" not in policy
    assert "script-src" not in documented.get(f"{FAMILY}/documents/atrs.md").headers["content-security-policy"]


def test_the_covenant(documented: Client, folder: Path) -> None:
    answer = documented.get(f"{FAMILY}/covenant").json()
    written = json.loads((folder / "covenant.json").read_text())
    assert (answer["principles"], answer["parts"]) == (written["principles"], written["parts"])
    assert (answer["status"], answer["manifest_sha256"]) == ("evaluated", written["manifest_sha256"])


@pytest.mark.parametrize("path", ["documents/passwd", "documents/..%2Fmanifest.json", "documents/manifest.json"])
def test_no_other_file_is_served(documented: Client, path: str) -> None:
    assert documented.get(f"{FAMILY}/{path}").status_code in {404, 422}
    check_problem(documented.get("/models/nothing/covenant"), 404, "not-found")
    check_problem(documented.get("/models/nothing/documents/atrs.md"), 404, "not-found")


def test_garbage_in_accept_is_answered_or_refused(documented: Client) -> None:
    for accept in ("", "garbage", "text/html;q=nan", "text/html;q=0,*/*;q=0", ";;;,,,", "*/*"):
        assert documented.get(FAMILY, Accept=accept).status_code in {200, 406}, accept
