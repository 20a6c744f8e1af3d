"""Is a backward pass that was derived by hand right, and if not, where is the mistake?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minitorch.errors import FormulaError
from minitorch.symbolic.claims.arrays import converter
from minitorch.symbolic.claims.batch import Batched
from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.diagnosis import Diagnosis, Finding
from minitorch.symbolic.claims.examine import Claim, Record, best_records, clock
from minitorch.symbolic.claims.explain import explain
from minitorch.symbolic.claims.formulas import FormulaClaim
from minitorch.symbolic.claims.function import FunctionClaim
from minitorch.symbolic.claims.sentences import Telling
from minitorch.symbolic.claims.settings import notes_on, settings_for
from minitorch.symbolic.claims.shrink import Counterexample, smallest
from minitorch.symbolic.claims.subject import Operation, Subject, subject_of
from minitorch.symbolic.verdict import REFUTED, TESTED, Verdict

SECONDS = 0.9  # of the processor, to look for a mistake: a check takes less than one

_SINGLE = 1e-6  # an unexplained error below this is rounding in single precision
_SEARCH, _SHRINK = 0.6, 0.7  # parts of the time: searching ends, and the first counterexample is looked for


@np.errstate(all="ignore")  # values are drawn at random and shrunk to 0: that a logarithm overflows says nothing
def check_vjp(
    claimed: Callable[..., Any] | str,
    operation: Operation,
    *,
    wrt: Sequence[str] | None = None,
    output: str | None = None,
    given: Mapping[str, float] | None = None,
    sizes: Mapping[str, int] | None = None,
    arrays: str | Callable[[np.ndarray], Any] = "numpy",
    dtype: str = "float64",
    batch: int = 0,
    shared: Sequence[str] = (),
    seconds: float | None = None,
) -> Diagnosis:
    """Compare a claimed backward pass with the derived one, and name the mistake.

    Arguments:
        claimed: a function of arrays, or definitions in index notation (``"dx[i] = S[i] (G[i] - sum_j G[j] S[j])"``,
            several on lines of their own or separated by ``;``).  A function's parameters are matched by name: inputs
            and saved values of the operation, the incoming gradient (``G``, ``dO``, ``dout``, ``grad_output``, ...),
            sizes (``n``, ``d_k``) as ints.  It returns the gradients in the order of ``wrt``, or a dict by name; None
            stands for one that is not claimed.
        operation: a name of the library, an operation of the engine with a formula, a Program, or a formula's text.
        wrt: the inputs that gradients are claimed for.
        output: the definition that is differentiated.
        given: inputs that are one number, such as ``{"eps": 1e-5}`` for a function that has it built in.
        sizes: dimensions of a fixed size, such as ``{"h": 2}``.
        arrays: what the function takes: "numpy", "torch", "minitorch", or what makes it from an array of NumPy.
        dtype: the floating type that it is called with; tolerances follow that of the result.
        batch: the number of leading axes that inputs have besides those of the formula.
        shared: with ``batch``, the inputs that have none; their gradients are sums over the batch.
        seconds: how long to look for the mistake, in time of the processor; :data:`SECONDS` unless given.

    Returns:
        A finding for every gradient that was claimed; print it.

    Raises:
        FormulaError: the claim cannot be examined: a name is unknown, the text cannot be read, or the function raises,
            writes to its inputs, is not deterministic or returns no gradients.

    Example:
        >>> def backward(S, G):
        ...     return S * G
        >>> diagnosis = check_vjp(backward, "softmax")
        >>> diagnosis.ok, diagnosis.inputs[0].cause.value
        (False, 'missing term')
    """
    start = time.perf_counter()
    if isinstance(wrt, str):
        wrt = [word.strip() for word in wrt.split(",")]
    subject = subject_of(operation, wrt, output)
    claim = _claim(claimed, subject, wrt is not None, converter(arrays), dtype)
    examined, records = _examined(claim, subject, given or {}, sizes or {}, batch, shared, dtype)
    due = clock(SECONDS if seconds is None else seconds)
    record, told = _explained(records, subject, claim, due(_SEARCH))
    wrong = [n for n in record.names if not record.is_right(n)]
    told = {n: telling for n, telling in told.items() if not _is_rounding(telling, record, n)}
    examples = _examples(examined, record, told, due)
    findings = [
        _wrong(claim, record, n, told[n], examples.get(n)) if n in told else _right(claim, record, n)
        for n in record.names
    ]
    if record.raised and not wrong:
        findings = [_equal_only(record, name) for name in record.names]
    notes = notes_on(record, subject, claim.wanted)
    return Diagnosis(subject.name, claim.title, tuple(findings), notes, time.perf_counter() - start)


def assert_vjp(claimed: Callable[..., Any] | str, operation: Operation, **options: Any) -> None:
    """Raise an AssertionError whose text is the diagnosis, unless :func:`check_vjp` finds every gradient right.

    Example:
        >>> assert_vjp("dx[i] = S[i] (G[i] - sum_j G[j] S[j])", "softmax")
    """
    __tracebackhide__ = True
    diagnosis = check_vjp(claimed, operation, **options)
    if not diagnosis.ok:
        raise AssertionError(str(diagnosis))


def _claim(claimed: Any, subject: Subject, explicit: bool, convert: Callable, dtype: str) -> Any:
    if isinstance(claimed, str):
        return FormulaClaim(claimed, subject)
    if not callable(claimed):
        raise FormulaError(f"check_vjp: got a claim of type {type(claimed).__name__}, wanted a function or text.")
    if dtype not in ("float64", "float32", "float16"):
        raise FormulaError(f"check_vjp: got dtype={dtype!r}, wanted float64, float32 or float16.")
    return FunctionClaim(claimed, subject, explicit, convert, dtype)


def _examined(
    claim: Any,
    subject: Subject,
    given: Mapping[str, float],
    sizes: Mapping[str, int],
    batch: int,
    shared: Sequence[str],
    dtype: str,
) -> tuple[Claim, list[Record]]:
    """The claim in the order of its parameters that suits best, and what it gave."""
    best: tuple[Claim, list[Record]] | None = None
    failed: FormulaError | None = None
    orders = claim.orders() if isinstance(claim, FunctionClaim) else [claim]
    for leading, order in ((leading, order) for leading in _leading(claim, subject, batch) for order in orders):
        if best is not None and leading > batch:
            break
        settings = settings_for(order, given, sizes, np.dtype(dtype))
        tried = Batched(order, leading, tuple(shared), settings[0]) if leading else order
        try:
            records = best_records(tried, settings)
            fixed = set(records[0].setting.given) - {*given, *order.wanted}
            if forgotten := fixed & set(records[0].names):  # whoever gives its gradient must know its values
                settings = settings_for(order, given, sizes, np.dtype(dtype), forgotten)
                records = best_records(tried, settings)
        except FormulaError as error:
            failed = failed or error
            continue
        if best is None or records[0].count > best[1][0].count:
            best = tried, records
        if records[0].all_right:
            break
    if best is None:
        raise failed or FormulaError("check_vjp: nothing was claimed.")
    return best


def _leading(claim: Any, subject: Subject, batch: int) -> tuple[int, ...]:
    """The numbers of leading axes to try: a function for vectors may be written for rows of them, ``sum(axis=1)``."""
    vectors = all(len(axes) <= 1 for axes in subject.program.inputs.values())
    return (batch, 1) if batch == 0 and vectors and isinstance(claim, FunctionClaim) else (batch,)


def _explained(
    records: list[Record], subject: Subject, claim: Claim, deadline: float
) -> tuple[Record, dict[str, Telling]]:
    """The first record whose mistakes can be explained, and what is told about them."""
    first = records[0], explain(records[0], subject, claim, deadline)
    for record in records[1:]:
        if any(telling.cause == Cause.UNEXPLAINED for telling in first[1].values()):
            again = record, explain(record, subject, claim, deadline)
            if all(telling.cause != Cause.UNEXPLAINED for telling in again[1].values()):
                return again
    return first


def _is_rounding(telling: Telling, record: Record, name: str) -> bool:
    return telling.cause == Cause.UNEXPLAINED and record.error(name) < _SINGLE


def _right(claim: Any, record: Record, name: str) -> Finding:
    if isinstance(claim, FormulaClaim):
        return Finding(name, True, claim.verdict(name))
    method = "float64" if record.limit < 1e-8 else "single precision" if record.limit < 1e-3 else "half precision"
    detail = f"largest error {record.error(name):.0e} at {record.sizes_shown() or 'a point'}"
    return Finding(name, True, Verdict(TESTED, (method,), detail))


def _examples(
    claim: Claim, record: Record, told: Mapping[str, Telling], due: Callable[[float], float]
) -> dict[str, Counterexample | None]:
    """The smallest counterexample of each mistake, and of the gradients that inherit it while there is time."""
    first = {telling.sentence: name for name, telling in reversed(list(told.items()))}
    names = [*first.values(), *(n for n in told if n not in first.values())]
    examples = {}
    for k, name in enumerate(names):
        late = due(_SHRINK + (1 - _SHRINK) * min(1.0, (k + 1) / len(first)))
        examples[name] = smallest(claim, name, claim.subject, record.setting, record.limit, late, record.equal)
    return examples


def _wrong(claim: Any, record: Record, name: str, telling: Telling, example: Counterexample | None) -> Finding:
    difference = telling.difference
    if isinstance(claim, FormulaClaim) and not difference:
        difference = claim.difference(name)
    witness = str(example) if example else f"off by {record.error(name):.1e} at {record.sizes_shown()}"
    told = vars(replace(telling, difference=difference))
    return Finding(name, False, Verdict(REFUTED, (), witness), **told, counterexample=example)


def _equal_only(record: Record, name: str) -> Finding:
    said = record.raised.removeprefix("check_vjp: ")
    sentence = f"Right only where all sizes are equal; a transposed product is likely. At other sizes {said}"
    return Finding(name, False, Verdict(REFUTED, (), said), Cause.SQUARE_ONLY, (Cause.READ_TRANSPOSED,), sentence)
