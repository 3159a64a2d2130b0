"""JSON read without mercy: what two readers could understand differently is refused.

Python's own parser takes duplicate keys (last wins), NaN and lone surrogates. In a record about a person each of them
would let the stored request and the scored request differ.
"""

import json
from typing import Any

from app.errors import Fault, MalformedInput


def read_json(raw: bytes) -> Any:
    """Return the value in `raw`, UTF-8 JSON (RFC 8259). Raises MalformedInput naming the rule, never the content."""
    if raw.startswith(b"\xef\xbb\xbf"):
        raise _malformed("no-byte-order-mark")
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant, parse_float=_finite)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except MalformedInput:
        raise
    except UnicodeDecodeError:
        raise _malformed("utf-8") from None
    except UnicodeEncodeError:
        raise _malformed("no-lone-surrogates") from None
    except RecursionError:
        raise _malformed("nesting-depth") from None
    except ValueError:
        raise _malformed("json-syntax") from None
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _malformed("no-duplicate-keys")
    return found


def _no_constant(_: str) -> float:
    raise _malformed("finite-numbers")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise _malformed("finite-numbers")
    return number


def _malformed(rule: str) -> MalformedInput:
    return MalformedInput("The body is not JSON that can be read in only one way.", [Fault("", rule)])
