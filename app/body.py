"""Reading a request body: type and size are settled before a byte is parsed."""

from starlette.requests import ClientDisconnect, Request

from app.errors import Fault, InputTooLarge, MalformedInput, UnsupportedMedia

MAX_BODY = 1 << 20


async def read_json_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """Return the raw body. Raises UnsupportedMedia, InputTooLarge (while streaming) or MalformedInput."""
    _check_media(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect:
        raise MalformedInput("The body ended early.", [Fault("", "complete-body")]) from None
    return bytes(body)


def _check_media(request: Request) -> None:
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.partition("charset=")[2].strip(' "').lower()
    if media.strip().lower() != "application/json" or charset not in {"", "utf-8", "utf8"}:
        raise UnsupportedMedia("Send application/json in UTF-8.", [Fault("", "content-type")])
    if request.headers.get("content-encoding"):
        raise UnsupportedMedia("Send the body uncompressed.", [Fault("", "content-encoding")])


def _too_large(limit: int) -> InputTooLarge:
    return InputTooLarge(f"The body is over {limit} bytes.", [Fault("", "body-size")])
