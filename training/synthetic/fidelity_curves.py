"""What the report draws rather than prints: points of curves measured on an extract, for plots beside its figures."""

from collections.abc import Mapping

import numpy as np

from app.extract.known import roles_known
from app.extract.load import Extract
from app.extract.rules import Flags
from app.harm.features import DAYS_A_YEAR, GENDER_CODES, Floats, Ints
from training.labels import Labelled, index_incidents

PERCENTILES = list(range(100))
AGES = list(range(10, 80, 2))
"""Lower ends of the age bands, years."""
MONTHS = 180
Curves = Mapping[str, list[float]]


def stalking_curves(extract: Extract, labelled: Labelled) -> Curves:
    """Figures 3, 6, 9 and 10: incidents by month, ages by gender, contacts by tenth of future harm, harm by percentile."""
    ages = (labelled.histories.day_zero - labelled.nominals.birth_day) / DAYS_A_YEAR
    gender = labelled.nominals.gender
    return {
        "harm_by_percentile": np.quantile(labelled.future_harm, np.array(PERCENTILES) / 100).tolist(),
        "contacts_by_tenth": contacts_by_tenth(labelled.future_harm, labelled.nominals.victim_contacts),
        "male_by_age": _by_age(ages[gender == GENDER_CODES["male"]]),
        "female_by_age": _by_age(ages[gender == GENDER_CODES["female"]]),
        "stalking_by_month": by_month(extract, index_incidents(extract, "stalking")),
    }


def sh_curves(extract: Extract) -> Curves:
    """Figure 2: incidents of stalking and harassment by month."""
    return {"sh_by_month": by_month(extract, index_incidents(extract, "stalking-and-harassment"))}


def first_month(end: int) -> np.datetime64:
    """The first of the last `MONTHS` whole months up to the last day (days since 1970-01-01)."""
    month: np.datetime64 = np.datetime64(end + 1, "D").astype("datetime64[M]") - MONTHS
    return month


def by_month(extract: Extract, of_kind: Flags) -> list[float]:
    """Incidents of the kind with a nominal on them in each of the last 180 months, by the date they stand under."""
    suspected = np.unique(extract.incident[roles_known(extract, extract.end) > 0])
    days = extract.occurred[suspected[of_kind[suspected]]]
    place = days.astype("datetime64[D]").astype("datetime64[M]") - first_month(extract.end)
    number: Ints = place.astype(np.int64)
    inside = (number >= 0) & (number < MONTHS)
    return [float(count) for count in np.bincount(number[inside], minlength=MONTHS)]


def contacts_by_tenth(future_harm: Floats, contacts: Floats) -> list[float]:
    """Mean contacts in each tenth of nominals by future harm, lowest first, (10,); equals in the order of their ids."""
    order = np.argsort(future_harm, kind="stable")
    return [float(contacts[tenth].mean()) if len(tenth) else 0.0 for tenth in np.array_split(order, 10)]


def _by_age(ages: Floats) -> list[float]:
    """Nominals in each band of `AGES`; those of unknown age in none."""
    return [float(count) for count in np.histogram(ages[~np.isnan(ages)], bins=[*AGES, AGES[-1] + 2])[0]]
