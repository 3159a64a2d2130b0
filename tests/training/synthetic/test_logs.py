"""Logs of the synthetic force: the tables keep every byte, the chances are what they say, the words give them away."""

from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.errors import SetupError
from training.synthetic.folder import write
from training.synthetic.force import Force, generate
from training.synthetic.logs import facts
from training.synthetic.logs.facts import ABSENT, SCORES, SOURCES, bayes_limit, draw, log_chances, slots
from training.synthetic.logs.grammar import Dice, every_way, expand, parse, read_tables
from training.synthetic.logs.table import logs_table
from training.synthetic.logs.writer import _prefixes, write_logs


@pytest.fixture(scope="module")
def force() -> Force:
    return generate(60, seed=4)


def test_logs_change_no_byte_of_the_tables_and_are_the_same_twice(force: Force, tmp_path: Path) -> None:
    incidents = force.tables["incidents"]
    write(force, tmp_path / "plain", world="published", seed=4, nominals=60)
    write(force, tmp_path / "told", world="published", seed=4, nominals=60, logs=logs_table(incidents, 4, 20))
    write(force, tmp_path / "again", world="published", seed=4, nominals=60, logs=logs_table(incidents, 4, 20))
    held = lambda name: {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}  # noqa: E731
    plain, told, again = held("plain"), held("told"), held("again")
    assert told.keys() - plain.keys() == {"logs.parquet"}
    assert all(told[name] == content for name, content in plain.items())
    assert again == told
    write(force, tmp_path / "told", world="published", seed=4, nominals=60)
    assert not (tmp_path / "told" / "logs.parquet").exists(), "an extract without logs leaves none of an earlier one"


def test_every_domestic_non_crime_has_a_log_and_no_one_else_of_the_nominals(force: Force) -> None:
    incidents = force.tables["incidents"].to_pylist()
    logs = logs_table(force.tables["incidents"], 4, 15).to_pylist()
    expected = {one["incident_id"] for one in incidents if one["is_non_crime"] and one["is_domestic"]}
    told = {log["incident_id"]: log for log in logs}
    assert len(told) == len(logs)
    assert {name for name, log in told.items() if log["is_non_crime"]} == expected
    crimes = [log for log in logs if not log["is_non_crime"]]
    assert Counter(log["harm_score"] for log in crimes) == dict.fromkeys(SCORES.tolist(), 15)
    assert not {log["incident_id"] for log in crimes} & {one["incident_id"] for one in incidents}
    assert all(20 < len(log["log_text"]) < 2_000 for log in logs)


def test_chances_add_up_and_a_slow_reader_agrees() -> None:
    rng = np.random.default_rng(5)
    places = rng.integers(0, 5, 40)
    observed = draw(rng, places)
    found = log_chances(observed)
    for row, chances in zip(observed, found, strict=True):
        slow = np.zeros(5)
        for column, answer in enumerate(row):
            if answer != ABSENT:
                slow += np.log(slots()[column // 2].chances[answer])
        np.testing.assert_allclose(chances, slow)
    for slot in slots():
        np.testing.assert_allclose(slot.chances.sum(axis=0), 1.0)


def test_answers_are_drawn_as_often_as_the_table_says() -> None:
    slot, number = slots()[1], 1
    observed = draw(np.random.default_rng(6), np.full(20_000, 4))[:, 2 * number]
    said = observed[observed != ABSENT]
    assert len(said) / len(observed) == pytest.approx(slot.mentioned, abs=0.015)
    shares = np.bincount(said, minlength=len(slot.observations)) / len(said)
    np.testing.assert_allclose(shares, slot.chances[:, 4], atol=0.015)


def test_nobody_beats_the_limit_and_it_is_worked_out_from_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = bayes_limit(1, 20_000)
    rng = np.random.default_rng(9)
    places = np.arange(20_000) % 5
    named = log_chances(draw(rng, places)).argmax(axis=1)
    assert limit.accuracy == pytest.approx((named == places).mean(), abs=0.012)
    one = slots()[0]
    monkeypatch.setattr(facts, "slots", lambda _=0: (facts.Slot("x", 1.0, 0.0, one.observations, one.chances),))
    exact = (
        one.chances.max(axis=1).sum() / 5
    )  # one question, always answered: the best is the sum of the largest chances
    assert bayes_limit(1, 40_000).accuracy == pytest.approx(exact, abs=0.01)


def test_a_reader_of_the_grammar_can_tell_every_statement_apart() -> None:
    """No clause stands under two answers, no opening of a sentence under two speakers: so the limit is of the text itself."""
    clauses: dict[str, tuple[str, int]] = {}
    for slot in read_tables("facts.toml")["slot"]:
        for number, value in enumerate(slot["value"]):
            for way in {way for said in value["said"] for way in every_way(parse(said))}:
                assert clauses.setdefault(way, (slot["name"], number)) == (slot["name"], number), way
    owners: dict[str, tuple[int, bool]] = {}
    for owner, phrases in _prefixes().items():
        for way in {way for phrase in phrases for way in every_way(phrase)} - {""}:
            assert owners.setdefault(way.lower(), owner) == owner, way
    tables = read_tables("fillers.toml")
    fillers = {way for text in (*tables["openings"], *tables["fillers"]) for way in every_way(parse(text))}
    assert not {way.rstrip(".").lower() for way in fillers} & {way.lower() for way in clauses}
    assert len(clauses) > 400


def test_no_word_decides_alone() -> None:
    """Words of the gravest answers stand in logs of every score, also where nothing of the kind happened."""
    rng = np.random.default_rng(11)
    places = np.arange(1_500) % 5
    texts = [text.lower() for text in write_logs(rng, draw(rng, places))]
    for word in ("knife", "punch", "threat", "weapon", "hit", "kill"):
        shares = [
            np.mean([word in text for text, place in zip(texts, places, strict=True) if place == one])
            for one in range(5)
        ]
        assert min(shares) > 0.02, (word, shares)
        assert max(shares) < 0.9, (word, shares)


def test_more_clarity_means_a_higher_limit() -> None:
    limits = [bayes_limit(2, 5_000, clarity).accuracy for clarity in (0.0, 1.0, 3.5)]
    assert limits[0] == pytest.approx(0.2, abs=1e-9)
    assert limits[0] < limits[1] < limits[2] < 1


def test_a_source_that_alone_answers_is_the_only_one() -> None:
    by_name = {slot.name: slot for slot in slots()}
    officer = [source.name for source in SOURCES].index("officer")
    assert {one.source for one in by_name["outcome"].observations} == {officer}
    assert {one.source for one in by_name["contact"].observations} == set(range(len(SOURCES)))


@pytest.mark.parametrize("wrong", ["a (b|c", "a b)", "(a|(b|c)"])
def test_brackets_that_do_not_match_are_refused(wrong: str) -> None:
    with pytest.raises(SetupError):
        parse(wrong)


def test_every_way_is_every_way() -> None:
    phrase = parse("{a} (is|was (very|not)) (here|there)")
    ways = {f"{{a}} {verb} {place}" for verb, place in product(("is", "was very", "was not"), ("here", "there"))}
    assert set(every_way(phrase)) == ways
    dice = Dice(np.random.default_rng(1))
    assert {expand(phrase, dice, {"a": lambda _: "{a}"}) for _ in range(300)} == ways


@pytest.mark.slow
def test_logs_are_written_to_the_folder_by_the_command(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from training.synthetic.command import synth

    run = CliRunner().invoke(synth, ["--out", str(tmp_path / "x"), "--nominals", "40", "--seed", "3", "--logs", "10"])
    assert run.exit_code == 0, run.output
    assert pq.read_table(tmp_path / "x" / "logs.parquet").num_rows > 50
    refused = CliRunner().invoke(synth, ["--out", str(tmp_path / "y"), "--check", "--logs", "10"])
    assert refused.exit_code == 2
