"""Everything that learns: synthetic force, extract loading, labels, fitting, export. Imports `app`; never the reverse."""
