"""Do NumPy's functions go through the tape, or refuse?"""

import numpy as np
import pytest

import minitorch as mt

x = mt.tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)
a = np.array([[0.5, 1.0], [2.0, 0.25]])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda t: np.exp(t), np.exp),
        (lambda t: np.add(a, t), lambda v: a + v),
        (lambda t: a - t, lambda v: a - v),
        (lambda t: a @ t, lambda v: a @ v),
        (lambda t: a**t, lambda v: a**v),
        (lambda t: np.float64(2) / t, lambda v: 2 / v),
        (lambda t: np.sum(t, axis=0), lambda v: v.sum(0)),
        (lambda t: np.mean(t, axis=(0, 1), keepdims=True), lambda v: v.mean((0, 1), keepdims=True)),
        (lambda t: np.amax(t, axis=1), lambda v: v.max(1)),
        (lambda t: np.concatenate([t, a], axis=1), lambda v: np.concatenate([v, a], axis=1)),
        (lambda t: np.where(a > 0.7, t, 0.0), lambda v: np.where(a > 0.7, v, 0.0)),
        (lambda t: np.transpose(t), np.transpose),
    ],
)
def test_a_numpy_function_with_a_namesake_is_that_operation(ours, theirs):
    y = ours(x)
    assert isinstance(y, mt.Tensor)
    assert y.requires_grad
    assert np.array_equal(y.numpy(), theirs(x.numpy()))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: np.nextafter(x, x), "np.nextafter has no derivative here"),
        (lambda: np.hypot.reduce(x), "np.hypot.reduce has no derivative here"),
        (lambda: np.minimum.accumulate(x), "np.minimum.accumulate has no derivative here"),
        (lambda: np.add.reduceat(x, [0]), "np.add.reduceat has no derivative here"),
        (lambda: np.cross(x, x), "np.cross has no derivative here"),
        (lambda: np.exp(x, out=np.zeros((2, 2))), "a result cannot be written"),
        (lambda: np.linalg.inv(x), "np.linalg.inv has no derivative here"),
    ],
)
def test_one_without_raises_and_names_itself_instead_of_dropping_the_gradient(call, said):
    with pytest.raises(mt.GradientError, match=said):
        call()


def test_where_no_gradient_is_asked_for_numpy_computes():
    assert np.array_equal(np.nextafter(x.detach(), a), np.nextafter(x.numpy(), a))
    assert np.isfinite(x).all()
    assert np.shape(x) == (2, 2)


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda t: np.exp(t), lambda v: np.exp(v)),
        (lambda t: np.sum(t * t), lambda v: 2 * v),
        (lambda t: np.concatenate([t, t]), lambda v: np.ones((4, 2))),
        (lambda t: np.where(a > 0.7, t, 0.0), lambda v: (a > 0.7).astype(float)),
        (lambda t: np.multiply(a, t), lambda v: a),
        (lambda t: a @ t, lambda v: a.sum(1)[:, None]),
    ],
)
def test_numpys_functions_go_through_forward_mode_too(function, slope):
    v = np.array([[1.0, 2.0], [3.0, 4.0]])
    _, tangent = mt.jvp(function, (v,), (np.ones((2, 2)),))
    wanted = slope(v)
    wanted = wanted.sum() if not tangent.shape else np.broadcast_to(wanted, tangent.shape)
    np.testing.assert_allclose(tangent.numpy(), wanted)


def test_one_without_a_rule_raises_in_forward_mode_instead_of_dropping_the_tangent():
    with pytest.raises(mt.GradientError, match=r"np.nextafter has no derivative here"):
        mt.jvp(lambda t: np.nextafter(t, t), (a,), (a,))


# -- which function, and which argument --------------------------------------------------------------------------------

cube = np.arange(8.0).reshape(2, 2, 2)

CALLS = {
    "np.linalg.trace(x)": cube,
    "np.linalg.trace(x, offset=1)": cube,
    "np.linalg.diagonal(x)": cube,
    "np.trace(x)": cube,
    "np.linalg.norm(x, axis=1)": a,
    "np.linalg.outer(x[0], x[1])": a,
    "np.linalg.matmul(x, x)": cube,
    "np.linalg.vecdot(x, x)": cube,
    "np.linalg.tensordot(x, x)": a,
    "np.vecdot(x, x, axis=0)": a,
    "np.matrix_transpose(x)": cube,
    "np.permute_dims(x, (1, 0))": a,
    "np.sum(x, out=None)": a,
    "np.sum(a=x, axis=1)": a,
    "np.sum(x, 0, np.float64)": a,
    "np.sum(x, 0, None, None, True)": a,
    "np.sum(x, dtype=np.float64)": a,
    "np.sum(x, where=True)": a,
    "np.var(x, 0, None, None, 1)": a,
    "np.std(x, correction=1)": a,
    "np.clip(x, 0.3, 1.5)": a,
    "np.clip(x, a_min=None, a_max=1.5)": a,
    "np.clip(x, max=1.5)": a,
    "np.sort(x, kind='stable')": a,
    "np.einsum('ij->i', x, optimize=True)": a,
    "np.where(x > 0.7, x, 0.0)": a,
    "np.reshape(x, shape=-1)": a,
    "np.concatenate([x, x], dtype=np.float64)": a,
    "np.pad(x, 1, constant_values=3.0)": a,
    "np.tile(A=x, reps=(2, 1))": a,
    "np.add(x, 1.0, dtype=np.float64)": a,
    "np.exp(x, where=True)": a,
    "np.around(x * 1.1) * x": a,
    "np.fabs(x)": a,
    "np.ravel(x)": a,
    "np.inner(x, x)": cube,
    "np.vstack([x, x[0]])": a,
    "np.hstack([x, x])": a,
    "np.hstack([x[0], x[1]])": a,
    "np.column_stack([x[0], x])": a,
    "np.copy(x)": a,
    "np.diff(x)": cube,
    "np.diff(x, 1, 0)": cube,
    "np.diff(x, n=0)": cube,
    "np.diff(x, prepend=0.0)": a,
    "np.diff(x, n=2, axis=0, prepend=x[:1] * x[:1], append=x)": a,
    "np.diff(x, n=0, append=1.0)": a,
    "np.divmod(x, 0.3)[1]": a,
    "np.divmod(7.0, x)[1]": a + 1,
    "divmod(np.ones(2), x)[1]": a + 1,
    "np.average(x, axis=1)": a,
    "np.average(x, axis=1, keepdims=True)": a,
    "np.average(x, axis=1, weights=[1, 3])": a,
    "np.average(x, 1, [1, 3], keepdims=True)": a,
    "np.average(x, weights=x)": a,
    "np.average(x, axis=(2, 0), weights=x[1] * x[1])": cube + 1,
    "np.average(x, axis=(0, 2), weights=np.ones((2, 2)))": cube,
    "np.average(x, axis=0, weights=x * x, returned=True)[0]": a,
    "np.average(x, axis=0, weights=x[0], returned=True)[1] * x": a,
    "np.average(x, axis=0, returned=True)[1] * x": a,
    "np.linalg.vector_norm(x)": a,
    "np.linalg.vector_norm(x, ord=3, keepdims=True)": a,
    "np.linalg.vector_norm(x, axis=(2, 0), ord=1)": cube + 1,
    "np.linalg.vector_norm(x, axis=-1, ord=np.inf, keepdims=True)": a,
    "np.linalg.matrix_norm(x)": cube + 1,
    "np.linalg.matrix_norm(x, ord=1, keepdims=True)": cube + 1,
    "np.append(x, x[0])": a,
    "np.append(x, x, axis=1)": a,
    "np.atleast_1d(x[0, 0])": a,
    "np.atleast_2d(x[0])": a,
    "np.add.reduce(x)": a,
    "np.add.reduce(x, axis=None)": a,
    "np.multiply.reduce(x)": a,
    "np.maximum.reduce(x, axis=1, keepdims=True)": a,
    "np.add.accumulate(x)": a,
    "np.multiply.outer(x, x)": a,
    "np.subtract.outer(x, x[0])": a,
}


@pytest.mark.parametrize("call", CALLS)
def test_numpys_function_is_computed_as_numpy_computes_it_and_differentiated(call):
    def run(t):
        return eval(call, {"np": np, "x": t})

    v = CALLS[call]
    constant, variable = run(mt.tensor(v)), run(mt.tensor(v, requires_grad=True))
    assert variable.requires_grad
    assert variable.dtype == run(v).dtype
    for y in (constant, variable.detach()):
        np.testing.assert_allclose(y.numpy(), run(v), rtol=1e-14, strict=True)
    mt.gradcheck(run, v)


@pytest.mark.parametrize("weights", [[1, 3], [0.25, 0.75], np.float64([0.25, 0.75]).astype("float32")])
def test_a_list_of_weights_widens_no_average(weights):
    t = mt.tensor(a, dtype="float32", requires_grad=True)
    assert np.average(t, axis=1, weights=weights).dtype == np.float32


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.split(t, 2, axis=1),
        lambda t: np.array_split(t, [1], axis=1),
        lambda t: np.array_split(t, 3),
        lambda t: np.atleast_2d(t[0], t),
    ],
)
def test_functions_of_several_results_give_them_all(call):
    for ours, theirs in zip(call(x), call(x.numpy()), strict=True):
        assert ours.requires_grad
        np.testing.assert_array_equal(ours.detach().numpy(), theirs, strict=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.sum(t, dtype=np.float32),
        lambda t: np.sum(t, 0, np.float32),
        lambda t: np.sum(t, where=a > 0.7),
        lambda t: np.max(t, initial=9.0),
        lambda t: np.reshape(t, (4, 1), order="F"),
        lambda t: np.take(t, [0, 9], mode="clip"),
        lambda t: np.pad(t, 1, mode="linear_ramp", end_values=2.0),
        lambda t: np.add(t, 1.0, dtype=np.float32),
        lambda t: np.emath.sqrt(-t),
        lambda t: np.add.reduceat(t, [0]),
    ],
)
def test_what_the_operation_has_not_is_computed_on_values_and_refused_where_a_gradient_would_be_lost(call):
    v = x.numpy()
    np.testing.assert_array_equal(call(x.detach()), call(v), strict=True)
    with mt.no_grad():
        np.testing.assert_array_equal(call(x), call(v), strict=True)
    with pytest.raises(mt.GradientError):
        call(x)
    with pytest.raises(mt.GradientError):
        mt.jvp(call, (v,), (v,))


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.pad(t, 1, mode="linear_ramp"),
        lambda t: np.pad(t, 1, mode="mean"),
        lambda t: np.linalg.norm(t, "nuc"),
        lambda t: np.linalg.matrix_norm(t, ord=2),
        lambda t: np.pad(t, 1, mode="empty").shape,
    ],
)
def test_a_call_that_the_operation_refuses_is_computed_by_numpy_for_constants_alone(call):
    v = x.numpy()
    np.testing.assert_array_equal(call(x.detach()), call(v), strict=True)
    with mt.no_grad():
        np.testing.assert_array_equal(call(x), call(v), strict=True)
    with pytest.raises((mt.ShapeError, mt.OperandError)):
        call(x)
    with pytest.raises((mt.ShapeError, mt.OperandError)):
        mt.jvp(call, (v,), (v,))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: np.sum(x, dtype=np.float32), "np.sum: dtype= is not supported where a gradient is asked for"),
        (lambda: np.sum(x, 0, np.float32), "np.sum: dtype= is not supported"),
        (lambda: np.exp(x, where=a > 0.7), "np.exp: where= is not supported"),
        (lambda: np.max(x, initial=9.0), "np.max: initial= is not supported"),
    ],
)
def test_the_argument_that_is_not_supported_is_named(call, said):
    with pytest.raises(mt.GradientError) as error:
        call()
    assert said in str(error.value).split("\n  at ")[0]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda t: np.average(t, weights=np.ones(2)), mt.ShapeError, "average: weights (2,) of a (2, 2)"),
        (lambda t: np.average(t, 0, np.ones(3)), mt.ShapeError, "weights (3,) of a (2, 2); wanted are (2, 2) or (2,)"),
        (lambda t: np.average(t, 0, [1.0, -1.0]), mt.OperandError, "average: weights of shape (2, 2) sum to 0"),
        (lambda t: np.average(t, 2, [1.0, -1.0]), mt.ShapeError, "average: axis 2 of shape (2, 2)"),
        (lambda t: np.linalg.vector_norm(t, axis=2), mt.ShapeError, "vector_norm: axis 2 of shape (2, 2)"),
        (lambda t: np.pad(t, 1, mode="mirror"), mt.ShapeError, "pad: mode is 'mirror'"),
        (lambda t: np.diff(t, axis=2, prepend=1.0), mt.ShapeError, "diff: axis 2 of shape (2, 2)"),
    ],
)
def test_what_numpy_refuses_too_is_refused_in_our_words(call, error, said):
    for t in (x, x.detach()):
        with pytest.raises(error) as caught:
            call(t)
        assert said in str(caught.value).split("\n  at ")[0]


@pytest.mark.parametrize("t", [x, x.detach()], ids=["variable", "constant"])
@pytest.mark.parametrize(
    "call",
    [
        lambda t, out: np.exp(t, out=out),
        lambda t, out: np.sum(t, out=out[0, 0]),
        lambda t, out: np.mean(t, None, None, out[0, 0]),
        lambda t, out: np.clip(t, 0, 1, out=out),
        lambda t, out: np.concatenate([t], out=out),
        lambda t, out: np.cumsum(t, out=out),
        lambda t, out: np.einsum("ij", t, out=out),
        lambda t, out: np.nanmean(t, out=out),
        lambda t, out: np.exp(out, out=t),
    ],
)
def test_out_is_refused_whatever_the_function(call, t):
    with pytest.raises(mt.GradientError, match=r"\(\.\.\., out=\.\.\.\): a result cannot be written"):
        call(t, np.zeros((2, 2)))


@pytest.mark.parametrize("t", [x, x.detach()], ids=["variable", "constant"])
@pytest.mark.parametrize(
    "write",
    [
        lambda t: np.add.at(t, [0], 100.0),
        lambda t: np.copyto(t, 1.0),
        lambda t: np.put(t, [0], 1.0),
        lambda t: np.place(t, t.numpy() > 0, [1.0]),
        lambda t: np.putmask(t, t.numpy() > 0, 1.0),
        lambda t: np.fill_diagonal(t, 1.0),
        lambda t: np.put_along_axis(t, np.array([[0]]), 1.0, 0),
    ],
)
def test_numpy_writes_into_no_tensor(write, t):
    before = t.tolist()
    with pytest.raises(mt.InPlaceError, match=r"would write into a tensor of shape .* past the tape"):
        write(t)
    assert t.tolist() == before


@pytest.mark.parametrize(
    "ask",
    [
        lambda t: np.allclose(t, t),
        lambda t: np.isclose(t, 2.0),
        lambda t: np.array_equal(t, a),
        lambda t: np.nonzero(t),
        lambda t: np.where(t > 2),
        lambda t: np.count_nonzero(t),
        lambda t: np.isnan(t),
        lambda t: np.isfinite(t),
        lambda t: np.signbit(t),
        lambda t: np.result_type(t),
        lambda t: np.iscomplexobj(t),
        lambda t: np.may_share_memory(t, a),
        lambda t: np.less(t, 2.0, where=True),
        lambda t: np.any(t, where=a > 0.7),
        lambda t: np.zeros_like(t),
        lambda t: np.zeros_like(t, shape=(3,)),
        lambda t: np.floor_divide(t, 2.0),
        lambda t: np.searchsorted(t[0], 1.5),
    ],
)
def test_what_has_no_gradient_to_lose_is_told_of_a_variable_too(ask):
    np.testing.assert_equal(np.asarray(ask(x)), np.asarray(ask(x.numpy())))


def test_numpys_save_writes_the_values(tmp_path):
    np.save(tmp_path / "x.npy", x.detach())
    assert np.array_equal(np.load(tmp_path / "x.npy"), x.numpy())
    with pytest.raises(mt.GradientError, match=r"np\.save has no derivative here"):
        np.save(tmp_path / "x.npy", x)


def test_an_error_inside_numpy_names_the_users_line():
    with pytest.raises(mt.GradientError, match="would lose its gradient") as caught:
        np.testing.assert_allclose(x, x)
    assert "\n  at " in str(caught.value)
    assert "test_interop.py" in str(caught.value).rpartition("\n  at ")[2]
