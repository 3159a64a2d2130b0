"""How far an extract of everyone known for stalking or harassment shows the report's figures (2.1, 2.2, table 9)."""

import numpy as np

from app.extract.known import roles_known
from app.extract.load import Extract
from app.extract.rules import Flags
from app.harm.features import CLASSES, Floats, Ints
from training.families import SH_NOMINAL
from training.labels import Labelled, index_incidents
from training.split import harm_cuts, harm_groups
from training.synthetic.fidelity_rows import EXACT, SHOWN, Row, counted
from training.synthetic.offences import COERCIVE_CONTROL, KINDS, RACIALLY_AGGRAVATED

KNOWN, INCIDENTS, OTHERS = 102_906, 168_850, 1_103_267
MIX = {
    "harassment": 0.446,
    "malicious communications": 0.259,
    "stalking": 0.217,
    "coercive control": 0.061,
    "racially aggravated harassment": 0.017,
}
"""Share of each kind among incidents of stalking and harassment (report, section 2.2)."""
SH_GROUPS = {"0-50": 62_765, "50-80": 10_351, "80-90": 3_796, "90-100": 3_450}
"""Nominals by future harm (report, table 9)."""
_AGGRAVATED = ("00837", "00838", "00844", "00845", *KINDS[RACIALLY_AGGRAVATED].codes)


def sh_fidelity(extract: Extract, labelled: Labelled, *, nominals: int | None = None) -> list[Row]:
    """Rows of the fidelity table for an extract labelled from day zeros of stalking and harassment.

    `nominals`: how many labelled ones there should be (default: those there are).
    """
    scale = len(labelled.person) / SH_NOMINAL.parts.labelled
    known, incidents, others = _known(extract, index_incidents(extract, "stalking-and-harassment"))
    mix = _mix(extract, incidents)
    groups = harm_groups(labelled.future_harm, harm_cuts(labelled.future_harm))
    found = np.bincount(groups, minlength=len(SH_GROUPS)) / len(groups)
    published = nominals or len(labelled.person)
    return [
        counted("S&H: labelled nominals", "table 9", published, EXACT, len(labelled.person)),
        counted("S&H: known nominals", "2.1", KNOWN * scale, 0.05, known),
        counted("S&H: incidents", "2.1", INCIDENTS * scale, 0.05, len(incidents)),
        counted("S&H: other incidents", "2.1", OTHERS * scale, 0.05, others),
        *(Row(f"S&H: {kind}", "2.2", MIX[kind], 0.015, float(share)) for kind, share in zip(MIX, mix, strict=True)),
        *(
            Row(f"S&H: group {name}", "table 9", count / SH_NOMINAL.parts.labelled, SHOWN, float(share))
            for (name, count), share in zip(SH_GROUPS.items(), found, strict=True)
        ),
    ]


def _known(extract: Extract, index: Flags) -> tuple[int, Ints, int]:
    """Nominals known for stalking or harassment by final roles, those incidents, and the number of their others."""
    final = roles_known(extract, extract.end) > 0
    known = np.zeros(len(extract.person_id), dtype=np.bool_)
    known[extract.person[final & index[extract.incident]]] = True
    theirs = np.unique(extract.incident[final & known[extract.person]])
    of_group = index[theirs]
    return int(known.sum()), theirs[of_group], int((~of_group).sum())


def _mix(extract: Extract, incidents: Ints) -> Floats:
    """Share of each kind of `MIX` among the incidents, (5,); harassment between partners is stalking."""
    code = extract.code[incidents].astype(str)
    stalking = extract.classes[incidents, CLASSES.index("stalking")]
    aggravated = ~stalking & np.isin(code, _AGGRAVATED)
    coercive = ~stalking & np.isin(code, KINDS[COERCIVE_CONTROL].codes)
    harassment = ~stalking & ~aggravated & extract.classes[incidents, CLASSES.index("harassment")]
    messages = ~(stalking | aggravated | coercive | harassment)
    return np.array([kind.mean() for kind in (harassment, messages, stalking, coercive, aggravated)])
