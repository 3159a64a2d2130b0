"""Running the service: one worker process, one socket, logs through the allow-list."""

import gc
import signal
import socket
import sys

import structlog
import uvicorn

from app.errors import SetupError
from app.logs import configure_logs
from app.main import create_app
from app.settings import Settings

SWITCH_SECONDS = 0.0005
"""How long a thread may compute while another waits. By default ten times as long: a single score gives way to the ledger's
thread a dozen times, and would wait as often for a bulk call."""


def serve(settings: Settings, host: str | None, port: int | None) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises SetupError before it listens where something needed is unusable.

    What the start has made is set apart from what garbage collection looks through, and only then is that switched on.
    """
    configure_logs(settings.log_level)
    sys.setswitchinterval(SWITCH_SECONDS)
    application = create_app(settings)
    gc.freeze()
    gc.enable()
    listening = _listen(host or settings.host, settings.port if port is None else port)
    address = "{}:{}".format(*listening.getsockname()[:2])
    structlog.get_logger().info("listening", address=address, version=application.version)
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="h11",  # httptools loses the body of a client that offers an upgrade, and takes headers of any size
        ws="none",
        log_config=None,
        access_log=False,  # it would print query strings
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, _stopped)
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def _stopped(*_: object) -> None:
    """uvicorn raises the signal again once it has shut down; a stop that was asked for ends with exit code 0."""


def _listen(host: str, port: int) -> socket.socket:
    """Bind before anything else can go wrong quietly."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SetupError(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with --port."
        ) from None
