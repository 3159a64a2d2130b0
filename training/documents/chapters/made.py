"""How this page came about, and how to make it again."""

from training.documents.blocks import Chapter, Table, Words
from training.documents.facts import Facts


def chapter(facts: Facts) -> Chapter:
    """The command, and what it was made with."""
    manifest, seed = facts.manifest, facts.evaluation.at("seed")
    libraries = facts.evaluation.at("libraries") or manifest.libraries
    lines = [
        f"dayzero-train evaluate --artifact model_artifacts/{manifest.family}/{manifest.version} --work WORK --seed {seed} "
        "measures everything and writes these documents, byte for byte the same for the same artefact, seed and libraries.",
        "A force names its own extract with --extract: then everything that needs no invented people is measured on it.",
        f"Learnt from {manifest.learnt_from}; harm index {manifest.harm_index.edition}.",
    ]
    table = Table("Measured with", ["library", "version"], [[name, str(one)] for name, one in libraries.items()])
    return Chapter("made", "How it was made", "Can the figures be made again?", [Words(lines), table])
