"""The evidence for an artefact: everything measured, in one file, by one command."""
