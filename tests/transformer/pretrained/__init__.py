"""Tests of `transformer.pretrained`: tiny models in files that the tests write, and real weights where installed."""
