"""The documents of a model that reads logs: their chapters, texts and records, from its manifest and evaluation alone."""
