"""Tests of the symbolic package; a package itself, so that file names may recur in other folders."""
