"""What are NumPy's and PyTorch's other names?  Each is the operation itself: `sub is subtract`, with its record."""

from __future__ import annotations

from minitorch.ops.elementwise import absolute, clip, divide, multiply, negative, power, subtract
from minitorch.ops.movement import concatenate, expand_dims, transpose
from minitorch.ops.reduce import max, min
from minitorch.ops.select import equal, greater, greater_equal, less, less_equal, not_equal
from minitorch.random import seed

abs, amax, amin, clamp, div, mul, neg, pow, sub = absolute, max, min, clip, divide, multiply, negative, power, subtract
eq, ge, gt, le, lt, ne = equal, greater_equal, greater, less_equal, less, not_equal
cat, permute, unsqueeze, manual_seed = concatenate, transpose, expand_dims, seed
