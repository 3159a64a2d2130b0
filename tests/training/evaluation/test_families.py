"""Sections of every family: what is measured of victims and of all who stalk or harass, on small forces of theirs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import SetupError
from app.extract.rules import VICTIM_ROLE
from app.harm.harm_index import load_harm_index
from tests.training.benches import toy_bench
from training.comparison.ablations import OF_ROLES, described
from training.comparison.missed import following_of, measure_missed_cases
from training.evaluation import evaluate as running
from training.evaluation.bench import LARGE, Bench
from training.evaluation.conformal import _score
from training.evaluation.evaluate import evaluate
from training.evaluation.fidelity import LARGE_SEEDS, VICTIM_SEEDS, plan
from training.evaluation.left_out import LEFT_OUT, ON_REQUEST, left_out
from training.evaluation.sections import SECTIONS
from training.evaluation.standing import OWN, PUBLISHED, SOBER, UNEQUAL, stands_for, worlds_beside
from training.evaluation.workload import measure_workload, weekly_volume
from training.evaluation.worlds import Origin
from training.fairness.crossfit import CrossFitted
from training.fairness.section import EVERYONE, NEVER_CHARGED, RECORDED, audits
from training.families import FAMILIES, SH_NOMINAL, STALKING_NOMINAL, STALKING_VICTIM
from training.harm.progress import Stages
from training.validation import leak
from training.validation.changes import CHANGES, after_day_zero


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return toy_bench(tmp_path_factory.mktemp("victims"), 1_500, 5, STALKING_VICTIM)


@pytest.fixture(scope="module")
def harassers(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return toy_bench(tmp_path_factory.mktemp("sh"), 800, 5, SH_NOMINAL, "sh")


@pytest.fixture(params=["victims", "harassers"])
def other(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(request.param)
    return found


def test_worlds_stand_side_by_side() -> None:
    assert worlds_beside("published") == ("published", "sober", "unequal")
    assert worlds_beside("sober") == ("sober", "published", "unequal")
    assert worlds_beside("published-victims") == ("published-victims", "sober-victims")
    assert worlds_beside("elsewhere") == ("elsewhere",)
    standing = [stands_for(name) for name in ("published-victims", "sober-victims", "unequal", "extract", "elsewhere")]
    assert standing == [PUBLISHED, SOBER, UNEQUAL, OWN, "elsewhere"]


def test_every_section_is_measured_or_has_its_reason() -> None:
    assert all(section.suits(STALKING_NOMINAL.name) for section in SECTIONS)
    for family in FAMILIES:
        missing = {section.name for section in SECTIONS if not section.suits(family)}
        assert missing == set(LEFT_OUT[family]) - {UNEQUAL}
    for name in ("metrics", "calibration", "conformal", "survival", "fairness", "missed_cases", "workload", "fidelity"):
        assert all(name not in left_out(family) for family in FAMILIES), name


def test_the_work_of_a_large_family_is_repeated_less(other: Bench) -> None:
    assert other.repeats(10, 5) == (10 if len(other.data.labelled.person) < LARGE else 5)
    origin = Origin("published", "sh", 1, SH_NOMINAL.parts.labelled)
    asked = plan("published", SH_NOMINAL, origin, 1)
    assert (asked.sh_nominals, asked.seeds, asked.sh_seeds) == (80_362, (), tuple(range(1, 1 + LARGE_SEEDS)))
    of_victims = plan("published-victims", STALKING_VICTIM, Origin("published-victims", "stalking", 1, 28_279), 1)
    assert (of_victims.nominals, len(of_victims.seeds), of_victims.stack_seeds) == (28_279, VICTIM_SEEDS, ())
    assert plan("published", STALKING_NOMINAL, Origin("published", "stalking", 1, 500), 1).stack_seeds == (1, 2)


def test_a_week_is_told_for_the_cases_of_the_family(other: Bench) -> None:
    found = measure_workload(other, Stages())
    weekly = other.data.family.weekly_cases
    assert found["published"] is None
    assert found["weekly_volume"]["published"] == weekly == (677 if other.data.family is SH_NOMINAL else 147)
    week = found["here"]["population_mix"]
    assert week["flagged_a_week"]["value"] == pytest.approx(week["flag_rate"]["value"] * weekly, abs=1e-3)
    assert [row["cases_a_week"] for row in found["capacity"]][-1] == (250 if other.data.family is SH_NOMINAL else 50)
    assert found["capacity"][0]["flag_rate"] < 0.05


def test_more_begins_a_case_where_harassment_does(harassers: Bench) -> None:
    extract = harassers.data.extract
    every = weekly_volume(extract, SH_NOMINAL.subject)
    assert every > 2 * weekly_volume(extract, STALKING_NOMINAL.subject)


def test_what_followed_is_what_was_done_to_a_victim(victims: Bench) -> None:
    data = victims.data
    found = following_of(data)
    harm = np.bincount(found.nominal, weights=found.harm, minlength=len(data.labelled.person))
    np.testing.assert_allclose(harm, data.labelled.future_harm)
    rows = data.extract.role == VICTIM_ROLE
    theirs = set(zip(data.extract.person[rows].tolist(), data.extract.incident[rows].tolist(), strict=True))
    assert {
        (int(data.labelled.person[who]), int(what)) for who, what in zip(found.nominal, found.incident, strict=True)
    } <= theirs


def test_missed_cases_of_victims_speak_of_what_they_suffered(victims: Bench, harassers: Bench) -> None:
    found = measure_missed_cases(victims, Stages())
    told = json.dumps(found)
    assert found["published"] is None
    for wrong in ("nominal", "custody", "charged", "went on to", "rape_victims"):
        assert wrong not in told.replace('"nominals":', ""), wrong
    assert "were raped in the year after" in told
    assert "own contacts with the force" in told
    of_others = measure_missed_cases(harassers, Stages())
    assert of_others["published"] is None
    assert "went on to rape" in json.dumps(of_others)
    assert of_others["top_group"]["nominals"] == (harassers.groups == 3).sum()


def test_roles_are_left_out_of_those_who_harm_only() -> None:
    assert set(OF_ROLES) <= set(described(SH_NOMINAL))
    assert not set(OF_ROLES) & set(described(STALKING_VICTIM))
    assert "no_gender" in described(STALKING_VICTIM)


def answers_at_random(bench: Bench) -> CrossFitted:
    rng = np.random.default_rng(1)
    count = len(bench.data.labelled.person)
    return CrossFitted(rng.dirichlet(np.ones(4), count), rng.integers(0, 4, count))


def test_victims_are_audited_by_what_was_recorded_only(victims: Bench, harassers: Bench) -> None:
    people = {
        bench.name + bench.data.family.name: [
            (one["harm"], one["people"])
            for one in audits(bench.data, [(RECORDED, bench.data.split.groups)], answers_at_random(bench), 1, Stages())
        ]
        for bench in (victims, harassers)
    }
    assert list(people.values()) == [[(RECORDED, EVERYONE)], [(RECORDED, EVERYONE), (RECORDED, NEVER_CHARGED)]]


def test_no_change_after_day_zero_reaches_a_feature_and_a_planted_leak_is_seen(other: Bench) -> None:
    data = other.data
    perspective = data.family.subject.perspective

    def peeking(*given: Any) -> Any:
        return leak.peeking(*given, days=365, perspective=perspective)

    found = leak.changed_bytes(data, {"honest": leak.honest, "planted": peeking}, seed=1)
    assert set(found["honest"]) == set(CHANGES)
    assert not any(found["honest"].values()), found
    for change in ("values", "deleted", "added"):
        assert found["planted"][change] > 0, change


def test_incidents_added_after_day_zero_are_the_familys_own(victims: Bench, harassers: Bench) -> None:
    for bench in (victims, harassers):
        data = bench.data
        after = after_day_zero(data.extract, data.labelled, data.family.subject)
        changed = CHANGES["added"](data.extract, after, np.random.default_rng(1))
        later = data.family.label(changed)
        assert (later.future_harm - data.labelled.future_harm >= 5_000).mean() > 0.99


def test_fresh_people_are_of_the_familys_own_population(harassers: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.evaluation.conformal.origin_of", lambda _: Origin("published", "sh", 5, 150))
    found = _score(harassers, 99)
    assert len(found["groups"]) == 150


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tuple(section for section in SECTIONS if section.name in {"metrics", "workload", "zoo"})
    monkeypatch.setattr(running, "SECTIONS", kept)
    monkeypatch.setattr(running, "worlds_beside", lambda home: (home,))
    monkeypatch.setattr(running, "write_documents", lambda _: None)


@pytest.mark.usefixtures("quick")
def test_the_file_says_what_is_missing_and_why(victims: Bench, tmp_path: Path) -> None:
    folder = victims.folder.parent / "made" / victims.manifest.family / victims.manifest.version
    written = evaluate(folder, tmp_path / "work", load_harm_index(), without=["workload"], jobs=1)
    document = json.loads(written.read_bytes())
    assert document["left_out"] == {"workload": ON_REQUEST, **LEFT_OUT["stalking-victim"]}
    assert set(document["worlds"]["published"]) == {"learnt_from", "metrics"}

    evaluate(folder, tmp_path / "work", load_harm_index(), only=["workload"], join=True, jobs=1)
    document = json.loads(written.read_bytes())
    assert document["left_out"] == LEFT_OUT["stalking-victim"]
    assert set(document["worlds"]["published"]) == {"learnt_from", "metrics", "workload"}
    with pytest.raises(SetupError, match=r"these sections are not measured: .*zoo"):
        evaluate(folder, tmp_path / "work", load_harm_index(), only=["zoo"])
