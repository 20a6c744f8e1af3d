"""The operations, one family a file; each operation is one record with all its facts side by side."""

from minitorch.ops import elementwise, fused, indexing, linalg, movement, reduce, select

__all__ = ["elementwise", "fused", "indexing", "linalg", "movement", "reduce", "select"]
