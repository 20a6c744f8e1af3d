"""Of which Tensors is a gradient wanted?  Of leaves that require one, and of results that retain theirs."""

# pyright: reportAttributeAccessIssue=false
# (self is a Tensor, since nothing else inherits from Wanting; the type checker cannot know that)

from __future__ import annotations

import weakref

from minitorch.errors import GradientError


class Wanting:
    """What is said about a Tensor's gradient before a backward pass."""

    __slots__ = ()

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this Tensor are recorded; what is assigned goes through `requires_grad_`."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it: an input, a constant or a parameter."""
        return self._origin is None

    def retain_grad(self) -> None:
        """Let `backward` leave the gradient in `.grad` of this result too, as it does for leaves.

        After an in-place write the Tensor is another result; say it again then.

        Raises:
            GradientError: this Tensor does not require a gradient.

        >>> import minitorch as mt
        >>> x = mt.tensor([1.0, 2.0], requires_grad=True)
        >>> y = x * 3
        >>> y.retain_grad()
        >>> (y * y).sum().backward()
        >>> y.grad
        Tensor([ 6., 12.], dtype=float32)
        """
        if not self._requires_grad:
            raise GradientError(
                f"retain_grad() of a tensor of shape {self.shape} that does not require a gradient; there is none. "
                "Use requires_grad_()?"
            )
        if self._origin is not None:  # weakly: a call never holds its own results
            self._origin.call.with_extra().retained[self._origin.index] = weakref.ref(self)
