"""Every error Day Zero raises on purpose.

    DayZeroError
    ├── InputError                 what was sent cannot be used
    │   ├── MalformedInput         not readable at all: JSON syntax, encoding
    │   ├── InvalidInput           readable, but breaks a rule; names pointers and rules
    │   ├── InputTooLarge
    │   └── UnsupportedMedia
    ├── AccessError
    │   ├── NotAuthenticated
    │   ├── NotAllowed
    │   └── TooManyRequests        of this caller, or too many bad tokens from this address
    ├── NotFound
    ├── MethodNotAllowed
    ├── NotAcceptable
    ├── Erased
    ├── StillRunning               the same idempotency key is being worked on
    ├── IdempotencyMismatch        the same idempotency key came with another body
    ├── ModelNotLoaded             what made a stored score is not loaded, so nothing more can be said of it
    ├── NotInOrder                 what has to come first has not, or what may happen once has happened
    │   ├── ViewFirst              a score is withheld until someone has recorded a view of their own
    │   ├── ViewRecorded           a caller has recorded a view of this score already
    │   ├── ViewAfterReading       a caller who has seen the score records a view as if they had not
    │   └── ChallengeClosed        the challenge has its outcome
    ├── Unavailable                try again later: the store or the model cannot answer now
    ├── VerificationFailed         the ledger, or an export of it, does not agree with itself
    └── SetupError                 cannot start: artefact, key, settings, table or extract is unusable

Messages never hold a value that was sent: it may be a victim's. Pointers and rule names are enough to mend a request.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Fault(NamedTuple):
    """One broken rule: where (RFC 6901 JSON pointer), which, and for a closed list the words it takes."""

    pointer: str
    rule: str
    allowed: tuple[str, ...] = ()

    def told(self) -> dict[str, object]:
        """The members of a problem's `errors`; words only where there is a list of them."""
        named: dict[str, object] = {"pointer": self.pointer, "rule": self.rule}
        return named | ({"allowed": list(self.allowed)} if self.allowed else {})


class DayZeroError(Exception):
    """Root of the tree; `faults` names what is wrong, never with which value."""

    def __init__(self, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)


class InputError(DayZeroError):
    """What was sent cannot be used."""


class MalformedInput(InputError):
    """Not readable: syntax or encoding."""


class InvalidInput(InputError):
    """Readable, but breaks a rule."""


class InputTooLarge(InputError):
    """Larger than this entrance takes."""


class UnsupportedMedia(InputError):
    """A content type or encoding this entrance does not take."""


class AccessError(DayZeroError):
    """The caller may not do this."""


class NotAuthenticated(AccessError):
    """No valid token. `reason` is a word out of `app.tokens.Rejection`, for metric and log: callers are all told the same."""

    def __init__(self, reason: str) -> None:
        super().__init__("Send one bearer token that this service accepts and that has not expired.")
        self.reason = reason


class NotAllowed(AccessError):
    """A valid token without the scope."""


class TooManyRequests(AccessError):
    """More than the limit; `seconds` until the next is taken. `by` says which limit: caller or address."""

    def __init__(self, by: str, seconds: int) -> None:
        super().__init__(f"More requests than this service takes from one {by}; slow down.")
        self.by = by
        self.seconds = seconds


class NotFound(DayZeroError):
    """No such thing, or not the caller's to see."""


class MethodNotAllowed(DayZeroError):
    """The address exists, the method there does not."""


class NotAcceptable(DayZeroError):
    """None of the media types asked for can be given."""


class Erased(DayZeroError):
    """It was here and has been erased."""


class StillRunning(DayZeroError):
    """The same idempotency key is being worked on."""


class IdempotencyMismatch(DayZeroError):
    """The same idempotency key came with another body."""


class ModelNotLoaded(DayZeroError):
    """The artefact that made a stored score is not loaded; another one would explain another score."""


class NotInOrder(DayZeroError):
    """What has to come first has not, or what may happen once has happened."""


class ViewFirst(NotInOrder):
    """A score is withheld until someone has recorded a view of their own."""


class ViewRecorded(NotInOrder):
    """A caller has recorded a view of this score already."""


class ViewAfterReading(NotInOrder):
    """A caller who has seen the score records a view as if they had not."""


class ChallengeClosed(NotInOrder):
    """The challenge has its outcome."""


class Unavailable(DayZeroError):
    """The store or the model cannot answer now."""


class VerificationFailed(DayZeroError):
    """The ledger, or an export of it, does not agree with itself."""


class SetupError(DayZeroError):
    """An artefact, key, setting, table or extract is unusable; the sentence says what to do next."""
