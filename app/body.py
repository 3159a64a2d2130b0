"""Reading a request body: type and size are settled before a byte is parsed."""

import asyncio
from email.message import Message
from functools import lru_cache

from starlette.requests import ClientDisconnect, Request

from app.errors import Fault, InputTooLarge, MalformedInput, UnsupportedMedia

MAX_BODY = 1 << 20
BODY_SECONDS = 30.0
"""How long a body may take to arrive; a client that sends slower holds nothing up for longer."""


async def read_json_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """Return the raw body. Raises UnsupportedMedia, InputTooLarge (while streaming) or MalformedInput."""
    check_media(request, "application/json")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except (ClientDisconnect, TimeoutError):
        raise body_ended() from None
    return bytes(body)


def body_ended() -> MalformedInput:
    """What is told of a body that stopped before its end."""
    return MalformedInput("The body ended early.", [Fault("", "complete-body")])


def check_media(request: Request, *taken: str) -> None:
    """Raises UnsupportedMedia unless the body is said to be of one of the types taken, in UTF-8 and uncompressed."""
    given = request.headers.getlist("content-type")
    media, charset = _media(given[0]) if len(given) == 1 else ("", "")
    if media not in taken or charset not in {"utf-8", "utf8"}:
        raise UnsupportedMedia(f"Send {taken[0]} in UTF-8.", [Fault("", "content-type")])
    if any(request.headers.getlist("content-encoding")):
        raise UnsupportedMedia("Send the body uncompressed.", [Fault("", "content-encoding")])


@lru_cache(64)
def _media(header: str) -> tuple[str, str]:
    """Type and character set of a Content-Type header; callers send the same one again and again."""
    message = Message()
    message["Content-Type"] = header
    return message.get_content_type(), str(message.get_param("charset", "utf-8")).lower()


def _too_large(limit: int) -> InputTooLarge:
    return InputTooLarge(f"The body is over {limit} bytes.", [Fault("", "body-size")])
