"""Who is measured: the floor, Day Zero in its variants, and what one would build instead."""

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from app.demo import dayzero, free_port
from benchmarks.process import serving
from tests.databases import Postgres

SERVERS = "benchmarks.servers"


@dataclass(frozen=True)
class Contestant:
    """`name` as the table tells it; `way` which form of the bodies it takes (see `benchmarks.prepare`); `path` where it
    is asked; `group` servers of one group are the same processes; `by_length` whether it is asked about each length of
    history too, which says nothing of one that is sent computed features, and the same of either store."""

    name: str
    group: str
    way: str
    path: str = "/score"
    by_length: bool = False


@dataclass(frozen=True)
class Running:
    """A started group: the ports of its workers and a bearer token."""

    ports: tuple[int, ...]
    token: str = ""


CONTESTANTS = (
    Contestant("floor: validated, empty", "floor", "none", "/empty", by_length=True),
    Contestant("floor: and one durable commit", "floor", "none", "/committed"),
    *(
        Contestant(f"Day Zero, {told}, {store}", group, way, by_length=group == "sqlite")
        for group, store in (
            ("sqlite", "SQLite"),
            ("postgres", "PostgreSQL"),
            ("sqlite-2", "SQLite, two workers"),
            ("postgres-2", "PostgreSQL, two workers"),
        )
        for way, told in (("none", "no explanation"), ("factors", "factors"), ("both", "both views"))
    ),
    Contestant("FastAPI and the libraries", "plain", "none", by_length=True),
    Contestant("FastAPI and the libraries, SHAP of the trees", "plain", "factors", by_length=True),
    Contestant("MLServer, stock runtime, the XGBoost part only", "mlserver-stock", "v2", "/v2/models/stalking/infer"),
    Contestant("MLServer, the libraries", "mlserver-libraries", "v2", "/v2/models/stalking/infer"),
    Contestant("MLServer, our graphs", "mlserver-graphs", "v2", "/v2/models/stalking/infer"),
    Contestant("BentoML, the libraries", "bentoml-libraries", "features"),
    Contestant("BentoML, our graphs", "bentoml-graphs", "features"),
    Contestant("LitServe, the libraries", "litserve-libraries", "features", "/predict"),
    Contestant("LitServe, our graphs", "litserve-graphs", "features", "/predict"),
)


@dataclass(frozen=True)
class Ground:
    """Where everything is: prepared `work`, a `scratch` folder, the serving python, a PostgreSQL that makes databases."""

    work: Path
    scratch: Path
    serving: str
    postgres: Postgres
    stack: ExitStack = field(default_factory=ExitStack)

    def environment(self, **more: str) -> dict[str, str]:
        """One thread everywhere, so that a core is a core."""
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        root = Path(__file__).parents[1]
        here = {
            "PYTHONPATH": str(root),
            "DAYZERO_ARTIFACTS": str(root / "model_artifacts"),
            "BENCH_MODELS": str(self.work / "models"),
        }
        return {**os.environ, **threads, **here, **more}

    def python(self, name: str) -> str:
        """Python of a contestant's own environment."""
        return str(self.work / "environments" / name / "bin" / "python")


def start(group: str, ground: Ground) -> Running:
    """Start the processes of a group; they stop with `ground.stack`."""
    name, _, kind = group.partition("-")
    if name in {"sqlite", "postgres"}:
        return _day_zero(group, ground, workers=2 if kind == "2" else 1)
    port = free_port()
    command, environment, ready = {
        "floor": _floor,
        "plain": _plain,
        "mlserver": _mlserver,
        "bentoml": _bentoml,
        "litserve": _litserve,
    }[name](ground, kind, port)
    address = f"http://127.0.0.1:{port}{ready}"
    ground.stack.enter_context(serving(command, environment, address, ground.scratch / f"{group}.log"))
    return Running((port,))


def _day_zero(group: str, ground: Ground, workers: int) -> Running:
    home = ground.scratch / group
    environment = ground.environment(DAYZERO_HOME=str(home), DAYZERO_CALLER_LIMIT="0", DAYZERO_LOG_LEVEL="warning")
    if group.startswith("postgres"):
        environment["DAYZERO_DATABASE_URL"] = ground.postgres.new_database()
    dayzero(environment, "keys", "create")
    token = dayzero(environment, "token", "--scope", "score").strip()
    ports = tuple(free_port() for _ in range(workers))
    for port in ports:
        command = [ground.serving, "-m", "app.cli", "serve", "--port", str(port)]
        ready = f"http://127.0.0.1:{port}/health/ready"
        ground.stack.enter_context(serving(command, environment, ready, ground.scratch / f"{group}-{port}.log"))
    return Running(ports, token)


Started = tuple[list[str], Mapping[str, str], str]


def _uvicorn(python: str, application: str, port: int) -> list[str]:
    options = ["--port", str(port), "--log-level", "critical", "--no-access-log", "--loop", "uvloop", "--http", "h11"]
    return [python, "-m", "uvicorn", application, *options]


def _floor(ground: Ground, _: str, port: int) -> Started:
    environment = ground.environment(FLOOR_DATABASE=str(ground.scratch / "floor.db"))
    return _uvicorn(ground.serving, f"{SERVERS}.floor:app", port), environment, "/docs"


def _plain(ground: Ground, _: str, port: int) -> Started:
    return _uvicorn(ground.python("plain"), f"{SERVERS}.plain:app", port), ground.environment(), "/docs"


def _mlserver(ground: Ground, kind: str, port: int) -> Started:
    folder = ground.scratch / f"mlserver-{kind}"
    folder.mkdir()
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    # Without a pool of its own, as one worker of the others is.
    (folder / "settings.json").write_text(
        json.dumps({**ports, "host": "127.0.0.1", "parallel_workers": 0, "debug": False})
    )
    model = {"name": "stalking", "implementation": f"{SERVERS}.mlserver_runtime.Stalking"}
    if kind == "stock":
        model["implementation"] = "mlserver_xgboost.XGBoostModel"
        model["parameters"] = {"uri": str(ground.work / "models" / "xgboost.json")}  # type: ignore[assignment]
    (folder / "model-settings.json").write_text(json.dumps(model))
    command = [str(Path(ground.python("mlserver")).with_name("mlserver")), "start", str(folder)]
    return command, ground.environment(BENCH_KIND=kind), "/v2/models/stalking/ready"


def _bentoml(ground: Ground, kind: str, port: int) -> Started:
    command = [ground.python("bentoml"), "-m", "bentoml", "serve", f"{SERVERS}.bento:Stalking"]
    environment = ground.environment(
        BENCH_KIND=kind, BENTOML_HOME=str(ground.scratch / f"bento-{kind}"), BENTOML_DO_NOT_TRACK="true"
    )
    return [*command, "--host", "127.0.0.1", "--port", str(port)], environment, "/readyz"


def _litserve(ground: Ground, kind: str, port: int) -> Started:
    command = [ground.python("litserve"), "-m", f"{SERVERS}.lit", str(port)]
    return command, ground.environment(BENCH_KIND=kind), "/health"
