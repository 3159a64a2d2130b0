"""The people's side of a score: their own view, their decision, challenges to it, and whom they take up first."""
