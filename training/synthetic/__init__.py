"""A synthetic police force, written in the shape of a real extract."""
