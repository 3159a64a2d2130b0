"""From `evaluation.json` and `manifest.json`, and from nothing else, every document that stands beside an artefact."""
