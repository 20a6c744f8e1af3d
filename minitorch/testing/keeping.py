"""Does the tape keep what the rules need, and nothing else?  Read off the call, poisoned, and written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from minitorch.errors import InPlaceError
from minitorch.modes import no_grad
from minitorch.primitive import Rule
from minitorch.tensor import Tensor, plain, source
from minitorch.testing.case import Case, contracted
from minitorch.testing.outcome import CheckFailed, NotMade
from minitorch.versions import owner


def kept_values(case: Case) -> None:
    """It keeps what the rules of the inputs that want a gradient name, by reference; nothing if none does."""
    p = case.record
    assert p is not None
    for count in range(len(case.varied) + 1):
        for wanted in combinations(case.varied, count):
            args = case.tensors(wanted)
            outs = case.call(args)
            names = {case.input_name(k) for k in wanted}
            call = source(outs[0])
            if isinstance(call, Tensor):
                if names:
                    raise CheckFailed(f"with gradients wanted by {sorted(names)} nothing is recorded")
                continue
            if not names:
                raise CheckFailed("with gradients wanted by no input, the call is recorded")
            kept = call.values()
            named = {n for r in p.rules if names & set(r.inputs) for n in r.keeps}
            if set(kept) != named:
                raise CheckFailed(f"the rules of {sorted(names)} name {sorted(named)}, kept are {sorted(kept)}")
            for name, value in kept.items():
                _is_by_reference(case, name, value, args, outs)


def _is_by_reference(case: Case, name: str, value: Any, args: Sequence[Any], outs: Sequence[Any]) -> None:
    p = case.record
    assert p is not None
    if name in p.outputs:
        pairs = [(value, outs[p.outputs.index(name)])]
    elif p.variadic:
        pairs = list(zip(value, args, strict=True))
    else:
        pairs = [(value, args[p.inputs.index(name)])]
    if any(isinstance(x, Tensor) and kept is not plain(x) for kept, x in pairs):
        raise CheckFailed(f"{name} is kept as a copy, wanted by reference")


def untouched_values(case: Case) -> None:
    """A rule writes neither to its cotangents, which may stand at other places too, nor to what the tape keeps."""
    _, call = case.recorded()
    kept = call.values()
    gs = [np.ones(s, d) for s, d in zip(call.shapes, call.dtypes, strict=True)]
    given = {**{f"cotangent {i}": g for i, g in enumerate(gs)}, **kept}
    before = {name: np.array(plain(x)) for name, x in given.items() if not isinstance(x, tuple)}
    for rule in case.rules():
        case.apply(rule, gs, kept)
        for name, x in before.items():
            if not np.array_equal(x, plain(given[name]), equal_nan=x.dtype.kind == "f"):
                raise CheckFailed(f"the rule of {', '.join(rule.inputs)} writes to its {name}. Write to a new array?")


def needed_values(case: Case) -> None:
    """Whatever a rule asks for, it reads: other values there give another gradient.

    Tried at the inputs and at a random point, since at some points a value makes no difference (b in x ** b at b = 1).
    """
    _, call = case.recorded()
    kept = call.values()
    rng = np.random.default_rng(21)
    gs = [np.asarray(rng.uniform(0.5, 1.5, s), d) for s, d in zip(call.shapes, call.dtypes, strict=True)]
    elsewhere = {name: _other(value, rng) for name, value in kept.items()}
    for rule in case.rules():
        for name in rule.keeps:
            if not any(np.size(a) for a in _parts(kept[name])) or not any(g.size for g in gs):
                continue
            if not any(_reads(case, rule, gs, base, name, rng) for base in (kept, elsewhere)):
                shape = "" if isinstance(kept[name], tuple) else f" of shape {np.shape(kept[name])}"
                raise CheckFailed(
                    f"the rule of {', '.join(rule.inputs)} keeps {name}{shape}, but its values make no difference. "
                    f"Leave it out, or ask for {name}_shape if that is all?"
                )


def _reads(case: Case, rule: Rule, gs: list[Any], kept: Mapping[str, Any], name: str, rng: Any) -> bool:
    """Whether the rule's result changes with the kept value of that name."""
    before = _result(case, rule, gs, kept)
    for poison in _poisons(kept[name], rng):
        after = _result(case, rule, gs, {**kept, name: poison})
        if after is None or before is None:
            return True  # it looked at the value, and refused it
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, after, strict=True)):
            return True
    return False


def _result(case: Case, rule: Rule, gs: list[Any], kept: Mapping[str, Any]) -> list[np.ndarray] | None:
    try:
        with np.errstate(all="ignore"):
            return [np.asarray(g) for k, g in case.apply(rule, gs, kept) if k in case.varied]
    except Exception:
        return None


def _poisons(value: Any, rng: Any) -> Iterator[Any]:
    if isinstance(value, tuple):  # the parts of a variadic input: each of them alone makes no sense to ask for
        yield tuple(_other(v, rng) for v in value)
        return
    yield _other(value, rng)
    a = np.asarray(value)
    if a.dtype.kind == "f":
        yield np.full_like(a, np.nan)
        yield a + 10  # above, and below, everything that it may be compared with
        yield a - 10
    elif a.dtype.kind in "iu" and a.size:
        yield np.zeros_like(a)
        yield np.full_like(a, a.max())
        yield np.full_like(a, 10**6)


def _other(value: Any, rng: Any) -> Any:
    """Values of the same shape and dtype, other than these: integers in another order, since they may be indices."""
    if isinstance(value, tuple):
        return tuple(_other(v, rng) for v in value)
    a = np.asarray(value)
    if a.dtype.kind == "b":
        return np.logical_not(a)
    if isinstance(value, int | float):
        return value + 1
    return np.asarray(rng.uniform(0.4, 1.4, a.shape), a.dtype) if a.dtype.kind == "f" else np.flip(a)


def _parts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def in_place_writes(case: Case) -> None:
    """A write to what was kept makes the backward pass raise; a write to anything else changes nothing."""
    gs = case.cotangents(31)
    wanted = case.pull(case.tensors(), gs)
    count = len(case.call(case.tensors()))
    made = 0
    for place in [*case.varied, *(-1 - i for i in range(count))]:
        args = case.tensors()
        outs = case.call(args)
        target = args[place] if place >= 0 else outs[-1 - place]
        if target.dtype.kind != "f" or not plain(target).flags.writeable:
            continue
        said = case.said(place) if place >= 0 else f"output {-1 - place}"
        total = contracted([o for o in outs if o.dtype.kind == "f"], gs)
        kept = _memory(outs[0]._origin.call.values().values())
        with no_grad():
            target.copy_(target.numpy() * 1)
        made += 1
        try:
            found = case.gradients_of(total, args)
        except InPlaceError as error:
            if id(owner(plain(target))) not in kept:
                raise CheckFailed(f"a write to {said}, which was not kept, makes the backward pass raise") from None
            if case.name not in str(error):
                raise CheckFailed(f"the error after a write to {said} does not name {case.name}: {error}") from None
            continue
        if id(owner(plain(target))) in kept:
            raise CheckFailed(f"a write to {said}, which was kept, goes unnoticed by the backward pass")
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(found, wanted, strict=True)):
            raise CheckFailed(f"a write of equal values to {said} changes the gradient")
    if not made:
        raise NotMade("neither inputs nor outputs can be written to")


def _memory(values: Any) -> set[int]:
    """The blocks of memory behind kept values, by id."""
    return {id(owner(a)) for v in values for a in _parts(v) if isinstance(a, np.ndarray)}
