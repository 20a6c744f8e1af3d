"""Tests of `transformer`: each layer against the same thing written as loops, with nothing of the engine in it."""
