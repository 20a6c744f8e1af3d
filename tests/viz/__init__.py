"""Tests of `viz`: the numbers in the pictures are the engine's, and the pictures can be read."""
