"""Which NumPy program does a formula denote?  Readable source, stable where that was proved, and the function itself.

Read it in this order: ``line`` (what is written), ``vanishing``, ``forms`` and ``shift``, ``accurate`` and ``sharing``
(how it is rewritten), ``layout``, ``contraction`` and ``lowering`` (how it becomes NumPy), ``names``, ``scalars`` and
``writing`` (how that looks), ``source`` (all together), ``gradients`` (forward and backward as one program).
"""

from minitorch.symbolic.code.gradients import gradient_names, kept, with_gradients
from minitorch.symbolic.code.source import numpy_function, numpy_source

__all__ = ["gradient_names", "kept", "numpy_function", "numpy_source", "with_gradients"]
