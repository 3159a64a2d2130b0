"""Content negotiation: the media type a caller likes best among those on offer."""

from app.errors import NotAcceptable

JSON, CSV, SVG = "application/json", "text/csv", "image/svg+xml"
HTML, MARKDOWN, TEXT = "text/html", "text/markdown", "text/plain"


def preferred(accept: str | None, offered: tuple[str, ...]) -> str:
    """Return the offered type with the highest quality in an Accept header; ties go to the first offered.

    No header means the first offered. Raises NotAcceptable where none fits.
    """
    if not accept:
        return offered[0]
    wanted = [_range(part) for part in accept.split(",")[:32]]
    quality = {media: _quality(media, wanted) for media in offered}
    best = max(offered, key=lambda media: quality[media])
    if quality[best] <= 0:
        raise NotAcceptable(f"On offer: {', '.join(offered)}.")
    return best


def _range(part: str) -> tuple[str, float]:
    media, *parameters = [piece.strip().lower() for piece in part.split(";")]
    quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
    try:
        return media, min(max(float(quality), 0.0), 1.0)
    except ValueError:
        return media, 0.0


def _quality(media: str, wanted: list[tuple[str, float]]) -> float:
    """Quality of one type: the most specific range that matches decides (RFC 9110, section 12.5.1)."""
    family, _, _ = media.partition("/")
    for candidate in (media, f"{family}/*", "*/*"):
        found = [quality for pattern, quality in wanted if pattern == candidate]
        if found:
            return max(found)
    return 0.0
