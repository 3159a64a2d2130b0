"""Nominals of an extract scored as columns, into a table whose batches the ledger vouches for. Needs Arrow throughout."""
