"""Which dtype comes out, and which values are refused?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt


def single(*values, **kwargs):
    return mt.tensor(np.array(values, np.float32), **kwargs)


def test_arrays_keep_their_dtype_and_python_numbers_get_the_default():
    assert mt.tensor(np.ones(2)).dtype == np.float64
    assert mt.tensor([1.0]).dtype == np.float32
    assert mt.tensor([1, 2]).dtype == np.int64
    assert mt.tensor([1, 2], dtype="float32").dtype == np.float32
    with mt.default_dtype("float64"):
        assert mt.tensor([1.0]).dtype == np.float64
        assert mt.tensor(np.ones(1, np.float32)).dtype == np.float32


NARROW = [2, 0.1, True, np.float64(0.1), np.array(0.1), np.array([1, 2]), [1, 2], np.array(3), np.int64(3)]


@pytest.mark.parametrize("other", [*NARROW, mt.tensor(np.array(0.1)), mt.tensor([1, 2])], ids=repr)
@pytest.mark.parametrize("x", [single(1, 2), mt.tensor(0.5)], ids=["axis", "0-d"])
def test_float32_stays_float32(x, other):
    for y in (x + other, other + x, x * other, x / other, other - x, x**other, mt.maximum(x, other)):
        assert y.dtype == np.float32


def test_an_array_of_float64_widens_as_in_numpy():
    assert (single(1, 2) * np.array([1.0, 2.0])).dtype == np.float64


def test_two_float64_scalars_stay_float64():
    assert (mt.tensor(np.array(1.0)) * np.float64(2.0)).dtype == np.float64


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2.0), np.array(2.0), np.array([2, 3])])
@pytest.mark.parametrize("f", [np.floor_divide, np.remainder, np.divmod, divmod, lambda a, b: a // b])
def test_dividing_without_a_remainder_keeps_float32_on_either_side(f, number):
    x = single(5, 7)
    for found in (f(x, number), f(number, x)):
        for part in found if isinstance(found, tuple) else (found,):
            assert part.dtype == np.float32


def test_astype_brings_the_gradient_back_in_the_dtype_of_the_input():
    x = single(1, 2, requires_grad=True)
    y = x.astype("float64")
    assert y.dtype == np.float64
    (y * y).sum().backward()
    assert x.grad.dtype == np.float32
    assert x.grad.numpy().tolist() == [2.0, 4.0]


def test_integers_made_from_a_differentiable_tensor_have_no_origin():
    assert single(1, 2, requires_grad=True).astype(int).is_leaf


@pytest.mark.parametrize("data", [[1, 2], [True], np.array(3)])
def test_requires_grad_of_integers_and_booleans_raises_and_says_what_to_do(data):
    with pytest.raises(mt.DtypeError, match=r"requires_grad=True of a (int64|bool) tensor.*dtype='float32'"):
        mt.tensor(data, requires_grad=True)


@pytest.mark.parametrize("data", ["text", [1j], None, [object()]])
def test_what_is_not_numeric_is_refused(data):
    with pytest.raises(mt.DtypeError, match="tensors hold floating-point numbers, integers or booleans"):
        mt.tensor(data)


@pytest.mark.parametrize("other", ["text", 1j, np.array([1j]), None, np.array(["a"])])
def test_an_operand_that_is_not_a_real_number_is_refused(other):
    with pytest.raises(mt.DtypeError, match=r"multiply: an operand is a .*; it takes tensors, arrays and real numbers"):
        mt.tensor([1.0], requires_grad=True) * other


def test_a_list_of_tensors_is_no_operand_since_its_gradients_would_be_lost():
    x = mt.tensor(1.0, requires_grad=True)
    with pytest.raises(mt.DtypeError, match=r"add: an operand is a list of tensors.*stack"):
        mt.add(mt.tensor([1.0, 2.0]), [x, x])


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (mt.tensor([1.0]), mt.ShapeError, r"grad of shape \(1,\) for a tensor of shape \(2,\)"),
        (mt.tensor(np.ones(2)), mt.DtypeError, r"grad is a float64 Tensor; it takes a float32 Tensor"),
        (np.ones(2, np.float32), mt.DtypeError, r"grad is a float32 ndarray; it takes a float32 Tensor"),
    ],
)
def test_dot_grad_takes_only_a_tensor_of_the_same_shape_and_dtype(value, error, said):
    x = single(1, 2, requires_grad=True)
    with pytest.raises(error, match=said):
        x.grad = value
    assert x.grad is None


def test_python_numbers_do_not_widen_a_stack_or_stand_for_float64_in_a_list():
    x = mt.tensor(1.0, requires_grad=True)
    assert mt.stack([x, 2.0]).dtype == np.float32
    assert mt.add(mt.tensor([1.0]), [2.0]).dtype == np.float32


def test_where_two_python_numbers_meet_a_mask_the_default_dtype_holds():
    mask = mt.tensor([True, False])
    assert mt.where(mask, 1.0, 0.0).dtype == np.float32
    assert (mask * 0.5).dtype == np.float32
    with mt.default_dtype("float64"):
        assert mt.where(mask, 1.0, 0.0).dtype == np.float64


def test_maximum_keeps_the_precision_of_a_float64_gradient_also_when_it_is_recorded():
    a, b = (mt.tensor(np.float64(v), requires_grad=True) for v in (2.0, 1.0))
    g = mt.grad(mt.maximum(a, b) * np.float64(0.1), a, create_graph=True)
    assert g.dtype == np.float64
    assert g.item() == 0.1


def test_a_detached_view_of_a_written_base_can_be_used():
    base = mt.tensor(np.ones(3), requires_grad=True) * 1.0
    base += mt.tensor(np.ones(3), requires_grad=True)
    view = base[1:].detach().requires_grad_()
    view.sum().backward()
    assert view.grad.numpy().tolist() == [1.0, 1.0]


def half(*shape):
    return mt.ones(shape, "float16", requires_grad=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("f", [mt.layer_norm, mt.rms_norm, lambda x: mt.group_norm(x, 1), mt.var, mt.std, mt.norm])
def test_squares_of_float16_do_not_overflow(f):
    x = np.array([[-300.0, 300.0, 100.0, 0.0]])
    narrow = mt.tensor(x, dtype="float16", requires_grad=True)
    wide = mt.tensor(x, requires_grad=True)
    assert f(narrow).dtype == np.float16
    np.testing.assert_allclose(f(narrow).numpy(), f(wide).numpy(), rtol=1e-3)
    g, wanted = ((f(t) * np.linspace(1, 2, f(t).size).astype(t.dtype)).sum() for t in (narrow, wide))
    g, wanted = mt.grad(g, [narrow])[0], mt.grad(wanted, [wide])[0]
    np.testing.assert_allclose(g.numpy(), wanted.numpy(), rtol=2e-3, atol=1e-5)


MANY = 70_000  # more than float16 can count


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("f", "value", "entry"),
    [
        (mt.mean, 1, 1 / MANY),
        (lambda x: mt.mse_loss(x, np.zeros(MANY, np.float16)), 1, 2 / MANY),
        (lambda x: mt.cross_entropy(x.reshape(-1, 2), np.ones(MANY // 2, int)), np.log(2), 1 / MANY),
        (lambda x: mt.kl_div(x, np.ones(MANY, np.float16), "batchmean"), -1, -1 / MANY),
        (mt.var, 0, 0),
        (mt.std, 0, 0),
        (lambda x: mt.softmax(x)[1], 1 / MANY, 0),
        (lambda x: mt.log_softmax(x)[1], -np.log(MANY), -1 / MANY),
        (mt.logsumexp, 1 + np.log(MANY), 1 / MANY),
        (mt.norm, np.sqrt(MANY), 1 / np.sqrt(MANY)),
        (lambda x: mt.norm(x, 3), np.cbrt(MANY), MANY ** (-2 / 3)),
    ],
)
def test_more_entries_than_float16_can_count_are_reduced(f, value, entry):
    x = half(MANY)
    out = f(x)
    assert out.dtype == np.float16
    np.testing.assert_allclose(out.item(), value, rtol=2e-3)
    np.testing.assert_allclose(mt.grad(out, [x])[0].numpy()[0], entry, rtol=5e-3)


@pytest.mark.filterwarnings("error")
def test_chunked_attention_over_more_keys_than_float16_can_count_is_that_of_float64():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(np.float16) for s in ((2, 4), (MANY, 4), (MANY, 3))]

    def attended(dtype):
        QKV = [mt.tensor(x, dtype=dtype, requires_grad=True) for x in arrays]
        O = mt.scaled_dot_product_attention(*QKV, method="chunked")
        assert O.dtype == dtype
        return [x.numpy().astype(float) for x in (O, *mt.grad(O.sum(), QKV))]

    for narrow, wide in zip(attended(np.float16), attended(np.float64), strict=True):
        np.testing.assert_allclose(narrow, wide, rtol=2e-3, atol=2e-7)


def test_chunked_attention_of_float16_beside_float32_is_float32():
    x = np.ones((2, 2), np.float16)
    assert mt.scaled_dot_product_attention(x, x, x.astype(np.float32), method="chunked").dtype == np.float32


def test_float16_goes_on_counting_where_its_steps_are_2():
    assert mt.sum(half(5000, 2), axis=0).tolist() == [5000.0, 5000.0]
    assert mt.cumsum(half(5000))[-1].item() == 5000.0
    b, table = half(1), half(2, 1)
    (b + mt.zeros((5000, 1), "float16")).sum().backward()
    mt.embedding(table, np.zeros(5000, int)).sum().backward()
    assert b.grad.tolist() == [5000.0]
    assert table.grad.tolist() == [[5000.0], [0.0]]
    x = half(2)
    x[np.zeros(5000, int)].sum().backward()
    assert x.grad.tolist() == [5000.0, 0.0]


@pytest.mark.parametrize(
    "f",
    [
        lambda x, number: mt.clip(x, number, None),
        lambda x, number: mt.leaky_relu(x, number),
        lambda x, number: mt.elu(x, number),
        lambda x, number: mt.huber_loss(x, mt.zeros(3), "none", number),
        lambda x, number: mt.rms_norm(x, eps=number),
        lambda x, number: mt.layer_norm(x, eps=number),
        lambda x, number: mt.norm(x, number + 3),
        lambda x, number: mt.pad(x, 1, constant_values=number),
        lambda x, number: mt.clip(x, np.array([0, 0, 0]), None),
    ],
)
@pytest.mark.parametrize("number", [np.float64(0.5), np.array(0.5), np.float32(0.5)], ids=repr)
def test_an_option_never_widens_float32(f, number):
    x = single(1, -2, 3, requires_grad=True)
    y = f(x, number)
    assert y.dtype == np.float32
    assert mt.grad(y.sum(), [x])[0].dtype == np.float32


def test_astype_copies_also_to_the_same_dtype():
    x = single(1, 2, requires_grad=True)
    assert not np.shares_memory(x.astype("float32").numpy(), x.numpy())
    y = np.ones(2)
    assert mt.astype(y, np.float64) is not y


@pytest.mark.parametrize("dtype", ["float128", "complex64", object, str, "foo"])
def test_a_dtype_that_tensors_do_not_hold_is_refused(dtype):
    for f in (lambda: mt.tensor([1.0], dtype=dtype), lambda: single(1).astype(dtype), lambda: mt.astype([1.0], dtype)):
        with pytest.raises(mt.DtypeError):
            f()
