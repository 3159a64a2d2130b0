"""Waiting as a loaded machine needs it: what is due within milliseconds may take seconds where many tests run at once."""

import time
from collections.abc import Callable
from functools import partial

import httpx2

SECONDS = 60
"""No test waits that long but one that fails."""

get, post, delete, request = (
    partial(call, timeout=SECONDS) for call in (httpx2.get, httpx2.post, httpx2.delete, httpx2.request)
)
"""The calls of httpx2, which by itself gives up after five seconds."""


def waited(until: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while not (there := until()) and time.monotonic() < end:
        time.sleep(0.01)
    return there
