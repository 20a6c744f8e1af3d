"""Pictures of gradient flow: the graph behind a tensor, and the paths through two models side by side.

viz.draw(loss)                              # the graph behind any tensor of any model
viz.compare(rnn, attention, tokens)         # the paths that gradients take in two models
"""

from viz.compare import Comparison, compare
from viz.dot import LayoutError, LayoutTimeoutError
from viz.draw import Drawing, draw
from viz.errors import InputError

__all__ = ["Comparison", "Drawing", "InputError", "LayoutError", "LayoutTimeoutError", "compare", "draw"]
