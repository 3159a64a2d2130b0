"""From what is said to how it is written: officers' shorthand, invented names and places, slips of the pen.

Nothing here depends on the score. Every officer has habits: how much is abbreviated, misspelt, written in capitals.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from app.harm.features import Ints
from training.synthetic.logs.facts import ABSENT, SOURCES, slots
from training.synthetic.logs.grammar import Dice, Filling, Phrase, expand, parse, read_tables

_FIRST = ("Tar", "Bel", "Osm", "Kev", "Lor", "Mir", "Hal", "Jes", "Dov", "Ren", "Sul", "Wyn", "Gar", "Fen", "Nal", "Pav",
          "Quil", "Ros", "Tev", "Ull")  # fmt: skip
_LAST = ("vin", "sa", "ond", "ika", "wyn", "ello", "una", "dric", "eth", "ora", "is", "ane", "um", "ette", "iko", "ay", "olm",
         "enna")  # fmt: skip
_STREETS = ("Marrow", "Thistle", "Corbel", "Sedge", "Hollin", "Brack", "Farrier", "Quern", "Lapwing", "Tolley", "Winnow",
            "Pinder", "Askew", "Dunnock", "Galloon", "Sorrel")  # fmt: skip
_KINDS = ("Road", "Street", "Close", "Avenue", "Court", "Lane", "Walk", "Grove", "Rise", "Gardens")
_TOWNS = ("Nether", "Upper", "Cold", "Long", "Market", "Great", "Kings", "Temple")

_SAYS = {
    ("complainant", False): ("{f} states ", "{f} says ", "{f} reports ", "{f} alleges ", "As per {f}, ", "{f} disclosed "),
    ("complainant", True): ("{f} confirmed it is untrue that ", "{f} states it is not the case that ", "{f} never said that "),
    ("officer", False): ("", "", "Officers noted ", "On arrival, ", "Log reads ", "Noted: ", "BWV shows "),
    ("officer", True): ("Nothing to suggest that ", "No evidence that ", "Officers do not believe that "),
    ("witness", False): ("Neighbour says ", "Wit states ", "{relative} reports ", "Caller next door heard that "),
    ("witness", True): ("Neighbour did not hear or see that ", "Wit denies that ", "{relative} disputes that "),
    ("accused", False): ("{m} claims ", "{m} replied that ", "S/T {m} who said ", "{m} in turn said ", "{m} admitted "),
    ("accused", True): ("{m} denies that ", "{m} denies ever that ", "{m} refutes that ", "{m} maintains it is untrue that "),
}  # fmt: skip
_HIM = ("M", "the male", "susp", "the suspect", "the ex", "partner")
_HER = ("IP", "the IP", "the female", "F", "inft", "the victim")
_SHORT = {
    "approximately": "approx", "without": "w/o", "regarding": "re", "address": "addr", "suspect": "susp", "previous": "prev",
    "intoxicated": "intox", "children": "chn", "property": "prop", "messages": "msgs", "threatened": "thr", "incident": "inc",
    "house": "hse", "neighbour": "nbr", "telephone": "tel", "because": "bc", "vehicle": "veh", "weapon": "wpn",
    "assaulted": "asslt", "between": "btwn", "injuries": "inj", "violence": "viol", "officers": "offrs", "months": "mths",
}  # fmt: skip
_WORD = re.compile(r"[a-zA-Z]{5,}")
_KEEP = frozenset({"denies", "without", "never", "neither", "nobody", "nothing", "untrue", "disputes", "refutes"})
"""Never misspelt: a negation that cannot be read is another statement."""


class _Habits(NamedTuple):
    """How one officer writes: shares of words shortened and misspelt, letters as they are, small or capital, names used."""

    short: float
    slips: float
    letters: str
    named: float


class Writer:
    """Writes logs, one after the other, from one stream of chance."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._dice = Dice(rng)
        tables = read_tables("fillers.toml")
        self._openings = [parse(text) for text in tables["openings"]]
        self._fillers = [parse(text) for text in tables["fillers"]]
        self._words: dict[str, Callable[[Dice], str]] = {
            name: partial(_one_of, tuple(words)) for name, words in tables["words"].items()
        } | _PLACES

    def log(self, observed: list[int]) -> str:
        """One log that says what was observed: a row of `facts.draw`."""
        dice = self._dice
        habits = _habits(dice)
        filling = self._filling(habits)
        said = [expand(self._openings[dice.below(len(self._openings))], dice, filling)]
        body = [_sentence(dice, filling, *found) for found in _spoken(observed)]
        body += [self._filler(filling) for _ in range(1 + dice.below(4))]
        for last in range(len(body) - 1, 0, -1):
            other = dice.below(last + 1)
            body[last], body[other] = body[other], body[last]
        return _handwriting(dice, habits, " ".join([*said, *body]))

    def _filler(self, filling: Filling) -> str:
        return expand(self._fillers[self._dice.below(len(self._fillers))], self._dice, filling)

    def _filling(self, habits: _Habits) -> Filling:
        """Names of the two stay the same through a log; shorthand changes from mention to mention."""
        him, her = _name(self._dice), _name(self._dice)
        people = {
            "m": partial(_called, him, _HIM, habits.named),
            "f": partial(_called, her, _HER, habits.named),
        }
        return self._words | people


def _spoken(observed: list[int]) -> Iterator[tuple[int, int]]:
    """(slot, observation) of everything that is said."""
    return ((column // 2, found) for column, found in enumerate(observed) if found != ABSENT)


@cache
def _prefixes() -> dict[tuple[int, bool], tuple[Phrase, ...]]:
    numbers = {source.name: number for number, source in enumerate(SOURCES)}
    return {(numbers[who], denied): tuple(map(parse, said)) for (who, denied), said in _SAYS.items()}


def _sentence(dice: Dice, filling: Filling, slot: int, observation: int) -> str:
    found = slots()[slot].observations[observation]
    prefixes = _prefixes()[found.source, found.denied]
    said = expand(prefixes[dice.below(len(prefixes))], dice, filling)
    said += expand(found.clauses[dice.below(len(found.clauses))], dice, filling)
    return said[0].upper() + said[1:] + "."


def _habits(dice: Dice) -> _Habits:
    letters = dice.chance()
    return _Habits(
        short=0.6 * dice.chance() ** 2,
        slips=0.06 * dice.chance() ** 2,
        letters="capital" if letters < 0.05 else "small" if letters < 0.12 else "mixed",
        named=0.5 * dice.chance(),
    )


def _handwriting(dice: Dice, habits: _Habits, text: str) -> str:
    def change(found: re.Match[str]) -> str:
        word = found[0]
        if dice.chance() < habits.short and word in _SHORT:
            return _SHORT[word]
        if dice.chance() < habits.slips and word.lower() not in _KEEP:
            return _slip(dice, word)
        return word

    text = _WORD.sub(change, text)
    return text.upper() if habits.letters == "capital" else text.lower() if habits.letters == "small" else text


def _slip(dice: Dice, word: str) -> str:
    """Two letters swapped, one lost, or one doubled; never the first."""
    at, kind = 1 + dice.below(len(word) - 2), dice.below(3)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :] if kind == 1 else word[:at] + word[at] + word[at:]


def _one_of(words: tuple[str, ...], dice: Dice) -> str:
    return words[dice.below(len(words))]


def _called(name: str, words: tuple[str, ...], named: float, dice: Dice) -> str:
    return name if dice.chance() < named else _one_of(words, dice)


def _name(dice: Dice) -> str:
    return _one_of(_FIRST, dice) + _one_of(_LAST, dice)


def _street(dice: Dice) -> str:
    return f"{_one_of(_STREETS, dice)}{_one_of(('field', 'gate', 'wood', 'combe'), dice)} {_one_of(_KINDS, dice)}"


def _address(dice: Dice) -> str:
    return f"{1 + dice.below(180)} {_street(dice)}"


def _town(dice: Dice) -> str:
    return f"{_one_of(_TOWNS, dice)} {_one_of(_STREETS, dice)}ley"


def _digits(count: int, dice: Dice) -> str:
    return "".join(str(dice.below(10)) for _ in range(count))


_PLACES: dict[str, Callable[[Dice], str]] = {
    "address": _address,
    "street": _street,
    "town": _town,
    "time": lambda dice: f"{dice.below(24):02}{dice.below(60):02}hrs",
    "date": lambda dice: f"{1 + dice.below(28):02}/{1 + dice.below(12):02}/{1950 + dice.below(55)}",
    "phone": lambda dice: "07700 900" + _digits(3, dice),  # a range kept free for invented people
    "number": partial(_digits, 7),
}


def write_logs(rng: np.random.Generator, observed: Ints) -> Iterator[str]:
    """One text for each row of observations."""
    writer = Writer(rng)
    return (writer.log(row) for row in observed.tolist())
