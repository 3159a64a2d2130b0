"""A force's extract, five tables of its crime system: read, checked, cleaned and made into histories or requests."""
