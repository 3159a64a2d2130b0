"""The people's side of a score: their own view, their decision, and challenges to it."""
