"""Tests mirror the tree; a package, so that `tests/transformer` does not stand in for `transformer`."""
