"""Record in, score out. Pure: no HTTP, no database, no clock of its own.

request -> case (checked history) -> features -> model -> explanation -> score
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from app.artifact_signatures import read_trusted
from app.artifacts import GROUPS, Bundle, Manifest, load_current, of_kind
from app.errors import Fault, InvalidInput, ModelNotLoaded, SetupError
from app.harm.answers import HarmAnswer, HistoryAnswer, Ignored, ModelStamp, ScoreBody, Warned
from app.harm.cases import build_cases
from app.harm.caveats import base_rates
from app.harm.conformal import conformal_answer
from app.harm.explaining import By, explanation, one_view
from app.harm.explanation_answers import Explained, OneView
from app.harm.features import ROWS, Features, features
from app.harm.golden import check_golden
from app.harm.harm_index import HarmIndex, index_in_force
from app.harm.history import Case, build_case
from app.harm.inferred import CODE, harm_inferred, read_by
from app.harm.model import Groups, HarmModel, Probabilities, group_name
from app.harm.oddities import WARNINGS
from app.harm.perspective_words import WORDS, Words
from app.harm.records import ScoreRequest
from app.harm.subject import BEGINS
from app.harm.sufficiency import STATEMENTS, status_of
from app.harm.survival import Curve, since_day_zero, survival_answer
from app.harm.targets import Of
from app.harm.uncharged import both_ways, earlier_uncharged, without_uncharged
from app.harm.versions import Earlier, earlier_reader, find_earlier, index_it_learnt_with
from app.text.manifest import FAMILY, TextManifest
from app.text.model import TextModel
from app.text.service import LogReader


@dataclass(frozen=True)
class Scored:
    """A score not yet named or dated: the case it rests on, its features (1, 20, 19), the answer's parts."""

    case: Case
    features: Features
    model: HarmModel
    harm: HarmAnswer
    curve: Curve
    explanation: Explained
    survival_explanation: Explained

    def body(self, score_id: str, scored_at: datetime) -> ScoreBody:
        """The answer, all but its audit receipt."""
        warnings = [
            harm_inferred(self.case.inferred) if code == CODE else Warned(code=code, message=self._message(code))
            for code in self.case.warnings
        ]
        status = status_of(self.case.warnings)
        return ScoreBody(
            score_id=score_id,
            scored_at=scored_at,
            as_of=self.case.as_of,
            day_zero=self.case.day_zero,
            model=stamp(self.model.bundle),
            history=HistoryAnswer(
                received=len(self.case.request.incidents),
                used=len(self.case.order),
                rows=rows_of(self.case),
                ignored=[Ignored(incident_id=name, reason=reason) for name, reason in self.case.ignored],
                warnings=warnings,
                status=status,
                statement=self._words.statements.get(status, STATEMENTS[status]),
            ),
            harm=self.harm,
            survival=survival_answer(
                self.curve, since_day_zero(self.case.as_of, self.case.day_zero, (why for _, why in self.case.ignored))
            ),
            explanation=self.explanation,
            survival_explanation=self.survival_explanation,
            advisory=self._words.advisory_short if status == "insufficient" else self._words.advisory,
        )

    @property
    def _words(self) -> Words:
        return WORDS[self.model.bundle.manifest.subject.perspective]

    def _message(self, code: str) -> str:
        """A warning's sentence; where the record is unlike those learnt from, in what."""
        beyond = self.model.experience.warning(self.features) if code == "out-of-distribution" else None
        said = beyond or self._words.warnings.get(code, WARNINGS[code])
        return said.format(begins=BEGINS[self.model.bundle.manifest.subject.day_zero])


Outcome = Scored | InvalidInput


class Scorer:
    """The loaded models and the harm index they are used with; `earlier` versions speak only for scores they made.

    A model of logs among the bundles becomes the reader of the index.
    """

    def __init__(self, bundles: Mapping[str, Bundle[Any]], index: HarmIndex, earlier: Earlier | None = None) -> None:
        self.bundles = bundles
        self.models = {family: HarmModel(bundle) for family, bundle in of_kind(bundles, Manifest).items()}
        self.texts = {family: TextModel(bundle) for family, bundle in of_kind(bundles, TextManifest).items()}
        reader = self.texts.get(FAMILY)
        self.index = index if reader is None else replace(index, reader=LogReader(reader))
        self.earlier = earlier or Earlier()
        self._before: Scorer | None = None
        self._reading: Scorer | None = None

    def score(self, request: ScoreRequest, today: date) -> Scored:
        """Score one nominal. Raises InvalidInput; any stage failing fails the whole."""
        return _alone(self.score_all([request], today))

    def as_read(self, answer: bytes) -> "Scorer":
        """This scorer with the very model that read the logs of a stored answer, which is mostly its own; of others one
        is kept at a time. Raises ModelNotLoaded where that model is neither loaded nor can be.
        """
        digest = read_by(answer)
        for scorer in (self, self._reading):
            if scorer and digest in (None, scorer._reader_digest):
                return scorer
        other = copy(self)
        other.index = replace(self.index, reader=earlier_reader(digest or "", self.earlier))
        other._before = other._reading = None  # an older model of harm has an index, and so a reader, of its own
        self._reading = other
        return other

    @property
    def _reader_digest(self) -> str | None:
        reader = self.index.reader
        return None if reader is None else reader.identity.manifest_sha256

    def score_again(self, request: ScoreRequest, manifest_sha256: str) -> Scored:
        """A stored request through the very artefact that made its score. Raises as `case_again`."""
        maker, model = self._maker(manifest_sha256)
        return _alone(maker._score(model, [request], request.as_of or date.max))

    def score_all(self, requests: Sequence[ScoreRequest], today: date) -> list[Outcome]:
        """`score` for each, or why it is refused; features and models are asked once for all of them."""
        outcomes: dict[int, Outcome] = {}
        for family in dict.fromkeys(request.model for request in requests):
            places = [place for place, request in enumerate(requests) if request.model == family]
            asked = [requests[place] for place in places]
            try:
                found = self._score(self.model_for(asked[0]), asked, today)
            except InvalidInput as error:
                found = [error] * len(asked)
            outcomes |= zip(places, found, strict=True)
        return [outcomes[place] for place in range(len(requests))]

    def _score(self, model: HarmModel, requests: Sequence[ScoreRequest], today: date) -> list[Outcome]:
        cases = build_cases(requests, self.index, today, model.bundle.manifest.subject)
        if not cases.rows:
            return [outcome for outcome in cases.outcomes if isinstance(outcome, InvalidInput)]
        both = both_ways(cases.histories, cases.nominals)
        tables = features(both.histories, both.nominals, unknown_age=model.bundle.manifest.index_age_median)
        count = len(cases.histories.day_zero)
        odd = model.experience.odd(tables[:count]).tolist()
        groups, curves = model.groups(tables), model.survival(tables[:count])
        again = dict(zip(both.of.tolist(), range(count, len(tables)), strict=True))
        rows = iter(cases.rows)
        found: list[Outcome] = []
        for outcome in cases.outcomes:
            if isinstance(outcome, InvalidInput):
                found.append(outcome)
                continue
            row = next(rows)
            case = replace(outcome, warnings=[*outcome.warnings, "out-of-distribution"]) if odd[row] else outcome
            without = groups.of(again[row]) if row in again else None
            found.append(self._scored(model, case, tables[row : row + 1], groups.of(row), without, curves[row]))
        return found

    def explain_again(self, request: ScoreRequest, manifest_sha256: str, by: By, of: Of = "harm") -> OneView:
        """One view of a score given before, to the bit what it would have been then.

        Arguments and errors as for `case_again`.
        """
        model, case = self.case_again(request, manifest_sha256)
        return one_view(model, case, self.features(case, model), self._maker(manifest_sha256)[0].index, by, of)

    def case_again(self, request: ScoreRequest, manifest_sha256: str) -> tuple[HarmModel, Case]:
        """The case of a score given before and the model that made it.

        `request` as stored, its `as_of` filled in. Raises ModelNotLoaded where the very artefact that made the score
        (digest of its manifest) is neither loaded nor can be.
        """
        maker, model = self._maker(manifest_sha256)
        return model, build_case(request, maker.index, request.as_of or date.max, model.bundle.manifest.subject)

    def _scored(
        self, model: HarmModel, case: Case, table: Features, groups: Groups, without: Groups | None, curve: Curve
    ) -> Scored:
        """One nominal's score; `without` its earlier uncharged incidents, None where there are none."""
        request = case.request
        return Scored(
            case=case,
            features=table,
            model=model,
            harm=_harm_answer(model, case, groups, without),
            curve=curve,
            explanation=explanation(model, case, table, self.index, request.explain),
            survival_explanation=explanation(model, case, table, self.index, request.explain_year, "survival"),
        )

    def _maker(self, manifest_sha256: str) -> tuple["Scorer", HarmModel]:
        """The model with that manifest, and the scorer that has it with the harm index it learnt with."""
        for scorer in (self, self._before):
            for model in scorer.models.values() if scorer else ():
                if model.bundle.manifest_sha256 == manifest_sha256:
                    return scorer or self, model
        bundle = self.earlier.load(manifest_sha256)
        before = Scorer({bundle.manifest.family: bundle}, index_it_learnt_with(bundle, self.index))
        try:
            check_golden(before)
        except SetupError as error:
            raise ModelNotLoaded(
                f"The model version that made this score cannot be used here. {error.detail}"
            ) from None
        self._before = before
        return before, before.models[bundle.manifest.family]

    def model_for(self, request: ScoreRequest) -> HarmModel:
        """The model a request asks for. Raises InvalidInput where it is not loaded."""
        model = self.models.get(request.model)
        if model is None:
            raise InvalidInput("That model is not loaded here.", [Fault("/model", "unknown-model", tuple(self.models))])
        return model

    def features(self, case: Case, model: HarmModel) -> Features:
        """The features of a case as this model sees them, float32 (1, 20, 19)."""
        return features(case.histories, case.nominals, unknown_age=model.bundle.manifest.index_age_median)


def load_scorer(
    artifacts: Path, imported_index: Path, artifact_keys: Path | None = None, only: str | None = None
) -> Scorer:
    """Load the newest artefact of each family, or of just one, and the harm index (imported if there is one).

    With `artifact_keys` a key in there must have signed each artefact. Raises SetupError.
    """
    trusted = None if artifact_keys is None else read_trusted(artifact_keys)
    current, index = load_current(artifacts, trusted, only), index_in_force(imported_index)
    return Scorer(current, index, find_earlier(artifacts, trusted))


def _alone(outcomes: list[Outcome]) -> Scored:
    """The only outcome there is. Raises InvalidInput."""
    (outcome,) = outcomes
    if isinstance(outcome, InvalidInput):
        raise outcome
    return outcome


def _harm_answer(model: HarmModel, case: Case, groups: Groups, without: Groups | None) -> HarmAnswer:
    """The groups of one nominal, (1, 4); `without` earlier uncharged incidents, None where there are none."""
    population = groups.population[0].tolist()
    predicted = group_name(int(model.decide(groups.probabilities)[0]))
    uncharged = int(earlier_uncharged(case.histories).sum())
    return HarmAnswer(
        groups=list(GROUPS),
        probabilities=groups.probabilities[0].tolist(),
        population_probabilities=population,
        predicted_group=predicted,
        base_rates=base_rates(model.bundle.manifest),
        without_uncharged=without_uncharged(model, population, predicted, uncharged, without),
        **_conformal(model, groups.probabilities),
    )


def _conformal(model: HarmModel, probabilities: Probabilities) -> dict[str, Any]:
    """The two members of the answer on the set of groups; none where the artefact has no thresholds."""
    groups = model.conformal_set(probabilities)
    if groups is None or model.robustness is None:
        return {}
    return {"conformal_set": groups, "conformal": conformal_answer(model.robustness.conformal, groups)}


def stamp(bundle: Bundle[Any]) -> ModelStamp:
    """What every answer says of the model behind it."""
    manifest = bundle.manifest
    return ModelStamp(
        family=manifest.family,
        version=manifest.version,
        manifest_sha256=bundle.manifest_sha256,
        perspective=manifest.subject.perspective if isinstance(manifest, Manifest) else "nominal",
        learnt_from=manifest.learnt_from,
    )


def rows_of(case: Case) -> int:
    """Incidents that stand on their own in the model's input: at most 20."""
    return min(len(case.order), ROWS)
