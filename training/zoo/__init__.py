"""Every combination of two models that the report compares, measured alike on one extract (appendices 4 and 5)."""
