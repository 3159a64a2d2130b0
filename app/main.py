"""The application: settings in, ASGI app out. Wiring only; what happens is in the capability folders."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from starlette.datastructures import State

import app
from app import metrics
from app.admission import Admission
from app.audit.erasing import Eraser
from app.audit.erasure_routes import ErasureRequest
from app.audit.erasure_routes import router as erasure_router
from app.audit.evidence import router as evidence_router
from app.audit.keeper import Keeper
from app.audit.ledger import Ledger
from app.audit.routes import NominalSearch
from app.audit.routes import router as audit_router
from app.audit.signing import Checkpoints
from app.audit.store import Store
from app.audit.subject_routes import SubjectExportRequest
from app.audit.subject_routes import router as subject_router
from app.bulk.door import BulkDoor
from app.bulk.routes import router as bulk_router
from app.database import check_schema, open_database
from app.database_roles import owns_tables
from app.errors import DayZeroError, Unavailable
from app.harm.archive import told
from app.harm.catalogue import router as catalogue_router
from app.harm.drift_routes import router as drift_router
from app.harm.drift_watch import DriftWatch
from app.harm.explanation_routes import router as explanation_router
from app.harm.golden import check_golden
from app.harm.records import ScoreRequest
from app.harm.replay_routes import router as replay_router
from app.harm.routes import router as harm_router
from app.harm.service import Scorer, load_scorer
from app.idempotency import Running
from app.keys import check_epoch
from app.limits import Limits
from app.middleware import Edge, install_problem_handlers
from app.openapi import publish
from app.problems import Problem
from app.provider import open_provider
from app.readiness import Readiness
from app.refusals import Refusals
from app.security import Authenticator
from app.settings import Settings
from app.storage import open_store
from app.system import docs_router
from app.system import router as system_router
from app.triage.challenge_routes import router as challenge_router
from app.triage.desk import Desk
from app.triage.priority_records import PriorityRequest
from app.triage.priority_routes import router as priority_router
from app.triage.records import ChallengeForm, DecisionForm, OutcomeForm, ViewForm
from app.triage.routes import router as triage_router

BODIES = (
    ScoreRequest, ViewForm, DecisionForm, ChallengeForm, OutcomeForm, ErasureRequest, NominalSearch, SubjectExportRequest,
    PriorityRequest,
)  # fmt: skip
"""Bodies that routes read by themselves."""

DESCRIPTION = """Scores a stalking nominal's incident history: probability of each future-harm group, survival curve for
the next year, an exact explanation, and a record that nobody can quietly alter.

**Every score is advice to a person, not a decision.** Ask for a token with `dayzero token --subject NAME --scope score`
and send it as `Authorization: Bearer TOKEN`. Errors are RFC 9457 problems that name the JSON pointer and the rule broken,
never the value sent."""


def create_app(settings: Settings) -> FastAPI:
    """Open the store, check keys, artefacts and golden cases, and wire them up.

    Raises SetupError where something needed to start is missing or unusable, VerificationFailed where the log does not
    continue its own newest checkpoint or the one its witness cosigned. Golden cases that do not reproduce do not
    stop the start: the process says so on `/health/ready` and refuses to score.
    """
    engine, keys = open_store(settings)
    if settings.migration_url and owns_tables(engine):  # roles were meant to be apart
        structlog.get_logger().warning("database-role-owns-tables", reason="See docs/keys.md, Database roles.")
    checkpoints = Checkpoints(engine, keys, settings.origin)
    checkpoints.check(settings.witness_state)
    scorer = load_scorer(settings.artifacts, settings.harm_index, settings.artifact_keys)
    application = bare_app(docs=settings.docs)
    state = application.state
    state.settings, state.keys, state.scorer, state.engine = settings, keys, scorer, engine
    state.ledger, state.store = Ledger(engine, keys), Store(engine, keys)
    state.drift = DriftWatch(state.store, state.ledger, scorer)
    state.desk, state.readers = Desk(state.store), {"score": told}
    state.checkpoints = checkpoints
    state.erasing_engine = open_database(settings.erasure_url) if settings.erasure_url else engine
    state.eraser = Eraser(state.erasing_engine, keys)
    state.keeper = Keeper(checkpoints, state.ledger, interval=settings.checkpoint_seconds)
    state.running, state.admission, state.bulk = Running(), Admission(), BulkDoor()
    state.provider = open_provider(settings)
    state.authenticator = Authenticator(keys, state.provider, local=settings.takes_local_tokens)
    state.limits = Limits(settings.caller_limit, settings.failed_limit)
    state.refusals = Refusals(state.ledger)
    state.readiness = Readiness(lambda: _check_doors(state), _golden_fault(scorer))
    for bundle in scorer.bundles.values():
        bundle.release()
    return application


def bare_app(*, docs: bool = True) -> FastAPI:
    """Routes, middleware and error handling, with nothing behind them: enough to write openapi.yaml."""
    application = FastAPI(
        title="Day Zero",
        version=app.__version__,
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # a redirect would repeat the query and trust the Host header
    )
    # the evidence first: its addresses would else be taken for the number of a record
    routers = [
        harm_router,
        bulk_router,
        explanation_router,
        replay_router,
        triage_router,
        challenge_router,
        catalogue_router,
    ]
    routers += [evidence_router, audit_router, subject_router, erasure_router, system_router, drift_router]
    routers += [priority_router]
    for router in [*routers, *([docs_router] if docs else [])]:
        application.include_router(router)
    install_problem_handlers(application)
    application.add_middleware(Edge)
    publish(application, BODIES, Problem)
    return application


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    state = application.state
    _tell_unsigned(state.scorer)
    state.ledger.start()
    state.keeper.start()
    beside = [asyncio.create_task(state.refusals.keep_summarising()), asyncio.create_task(state.drift.keep_watching())]
    if state.provider is not None:
        await state.provider.keys.refresh()
        beside.append(asyncio.create_task(state.provider.keys.keep_fresh()))
    yield
    for task in beside:
        task.cancel()
    await state.refusals.summarise()
    state.admission.close()
    state.bulk.close()
    state.ledger.close()
    state.keeper.close()
    state.engine.dispose()
    state.erasing_engine.dispose()


def _check_doors(state: State) -> None:
    """Errors: a DayZeroError where no record can be stored, or no caller be known."""
    if state.ledger.failing:
        raise Unavailable("The last record could not be stored.")
    check_schema(state.engine)
    check_epoch(state.engine, state.keys)
    if state.provider is not None and state.provider.keys.fault is not None:
        raise Unavailable(state.provider.keys.fault)


def _tell_unsigned(scorer: Scorer) -> None:
    """Serving what nobody vouched for is allowed, never silent: here, in `/models` and as a metric."""
    unsigned = [bundle.manifest for bundle in scorer.bundles.values() if bundle.signed_by is None]
    metrics.ARTEFACTS_UNSIGNED.set(len(unsigned))
    for manifest in unsigned:
        log = structlog.get_logger()
        log.warning("artefact-not-checked-against-a-key", family=manifest.family, version=manifest.version)


def _golden_fault(scorer: Scorer) -> str | None:
    try:
        check_golden(scorer)
    except DayZeroError as error:
        structlog.get_logger().error("golden-cases", reason=error.detail)
        return error.detail
    return None
