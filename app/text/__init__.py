"""Harm of a domestic non-crime from the text of its log (report, section 3.1 and appendix 8). Knows words, not records."""
