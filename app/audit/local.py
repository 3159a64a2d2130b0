"""The ledger of this machine, for commands: what they do is recorded before it is done, as over HTTP."""

import json

from app.audit.ledger import Ledger
from app.audit.records import NewRecord
from app.audit.signing import Checkpoints, Signed
from app.audit.store import Store
from app.settings import Settings
from app.storage import LOCAL_ISSUER, local_subject, open_store


class LocalLog:
    """Opens database and keys. Errors: SetupError where they cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self.engine, self._keys = open_store(settings)
        self.store = Store(self.engine, self._keys)
        self.checkpoints = Checkpoints(self.engine, self._keys, settings.origin)

    def record(self, event: str, told: dict[str, str]) -> Signed:
        """Appends what is about to happen and gives a checkpoint that covers it.

        Errors: Unavailable where it cannot be recorded, VerificationFailed where the log does not continue its newest
        checkpoint.
        """
        ledger = Ledger(self.engine, self._keys)
        ledger.start()
        try:
            payload = json.dumps(told).encode()
            ledger.append_and_wait(NewRecord(event, LOCAL_ISSUER, local_subject(), payload, purpose="audit"))
        finally:
            ledger.close()
        return self.checkpoints.sign()
