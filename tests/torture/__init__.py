"""What the ledger promises under ill treatment, tried many times: `make torture`; a short form runs with the tests."""
