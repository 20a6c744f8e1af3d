"""Does a Module hold, find, name, call, save and copy its parts as PyTorch users know it?"""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn


class Counter(nn.Module):
    """Buffers of both kinds, and a parameter."""

    def __init__(self):
        super().__init__()
        self.register_buffer("steps", np.zeros(1, np.int64))
        self.register_buffer("cache", np.ones(2), persistent=False)
        self.register_buffer("nothing", None)
        self.w = nn.Parameter([1.0, 2.0])

    def forward(self, x):
        return x * self.w


class Net(nn.Module):
    def __init__(self):
        self.counter = Counter()
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
        self.heads = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Linear(2, 1)})
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        x = self.counter(x)
        for layer in self.layers[:2]:
            x = layer(x)
        return self.heads["a"](x) + self.heads["b"](self.drop(x))


X = np.ones((1, 2), np.float32)


def scopes(y):
    return list(dict.fromkeys(n.scope for n in mt.Graph.of(y).nodes if n.op))


# -- the tree ----------------------------------------------------------------------------------------------------------


def test_children_are_the_modules_right_below_and_named_children_say_their_names():
    net = Net()
    assert [name for name, _ in net.named_children()] == ["counter", "layers", "heads", "drop"]
    assert list(net.children()) == [net.counter, net.layers, net.heads, net.drop]


def test_modules_come_in_pytorchs_order_and_once():
    net = Net()
    paths = ["", "counter", "layers", "layers.0", "layers.1", "heads", "heads.a", "heads.b", "drop"]
    assert [path for path, _ in net.named_modules()] == paths
    net.again = net.counter
    assert [path for path, _ in net.named_modules()] == paths
    assert [path for path, _ in net.named_modules(remove_duplicate=False)] == [*paths, "again"]
    assert [name for name, _ in net.named_children()] == ["counter", "layers", "heads", "drop"]
    assert len(list(net.modules())) == len(paths)
    assert next(iter(net.named_modules("top"))) == ("top", net)


def test_parameters_of_a_module_come_before_those_of_its_children_and_recurse_can_be_off():
    net = Net()
    net.last = nn.Parameter([0.0])
    assert [name for name, _ in net.named_parameters()][:2] == ["last", "counter.w"]
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["last"]
    assert [name for name, _ in net.counter.named_parameters("here")] == ["here.w"]


def test_buffers_are_found_and_are_no_parameters():
    net = Net()
    assert [name for name, _ in net.named_buffers()] == ["counter.steps", "counter.cache"]
    assert [b.shape for b in net.buffers()] == [(1,), (2,)]
    assert "counter.steps" not in dict(net.named_parameters())
    net.counter.steps = mt.tensor([5])
    assert dict(net.named_buffers())["counter.steps"].item() == 5


def test_a_parameter_in_the_place_of_a_buffer_is_a_parameter():
    c = Counter()
    c.cache = nn.Parameter([0.0])
    assert "cache" in dict(c.named_parameters())
    assert "cache" not in dict(c.named_buffers())


@pytest.mark.parametrize("name", ["", "a.b", "forward", "w"])
def test_a_buffer_cannot_take_a_name_that_means_something_else(name):
    with pytest.raises(ValueError, match=r"cannot name a part|exists already"):
        Counter().register_buffer(name, [1.0])


def test_what_would_silently_untrain_a_parameter_is_refused():
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match=r"Linear.weight is a Parameter; a ndarray in its place .* nn.Parameter\(value"):
        layer.weight = np.ones((2, 2))
    with pytest.raises(TypeError, match=r"Counter.steps is a buffer; it takes a Tensor or None, not a list"):
        Counter().steps = [1]
    layer.weight = nn.Parameter(np.ones((2, 2)))
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


def test_register_parameter_and_add_module_are_the_same_as_assigning():
    m = nn.Module()
    m.register_parameter("w", nn.Parameter([1.0]))
    m.register_parameter("b", None)
    m.add_module("inner", nn.Linear(1, 1, bias=False))
    assert [name for name, _ in m.named_parameters()] == ["w", "inner.weight"]
    with pytest.raises(TypeError, match=r"Module.b: got a ndarray; it takes an nn.Parameter"):
        m.register_parameter("b", np.ones(1))
    with pytest.raises(TypeError, match=r"it takes an nn.Module"):
        m.add_module("relu", mt.relu)


def test_deleting_an_attribute_takes_its_parameters_away():
    net = Net()
    del net.counter.cache, net.layers
    assert [name for name, _ in net.named_buffers()] == ["counter.steps"]
    assert not any(name.startswith("layers") for name, _ in net.named_parameters())


def test_a_submodule_is_found_by_its_path_and_a_wrong_path_lists_those_that_are_there():
    net = Net()
    assert net.get_submodule("heads.b") is net.heads["b"]
    assert net.get_submodule("") is net
    with pytest.raises(AttributeError, match=r"Net has no module 'layers.2'; below it are counter, layers, layers.0"):
        net.get_submodule("layers.2")


# -- the call ----------------------------------------------------------------------------------------------------------


def test_operations_run_under_the_path_of_their_parameters_through_lists_slices_and_dictionaries():
    net = Net().eval()
    assert scopes(net(X)) == ["Net.counter", "Net.layers.0", "Net.layers.1", "Net.heads.a", "Net.heads.b", "Net"]


def test_a_copied_layer_is_named_by_where_it_is_held_now():
    class Stack(nn.Module):
        def __init__(self, layer):
            self.first = layer
            self.rest = nn.ModuleList([copy.deepcopy(layer) for _ in range(2)])
            self.last = copy.deepcopy(self.rest[0])

        def forward(self, x):
            return self.last(self.rest[1](self.rest[0](self.first(x))))

    held = nn.ModuleList([nn.Linear(2, 2)])
    assert scopes(Stack(held[0])(X)) == ["Stack.first", "Stack.rest.0", "Stack.rest.1", "Stack.last"]


def test_a_slice_of_a_list_within_a_forward_pass_does_not_look_for_all_paths_again():
    net = Net().eval()
    net(X)
    before = nn.Module._changes
    net(X)
    assert nn.Module._changes == before


def test_a_layer_that_moves_is_named_by_its_new_place():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    assert scopes(net(X)) == ["Sequential.0", "Sequential.1"]
    net.insert(0, nn.Linear(2, 2))
    assert scopes(net(X)) == ["Sequential.0", "Sequential.1", "Sequential.2"]
    del net[0]
    assert scopes(net(X)) == ["Sequential.0", "Sequential.1"]
    mine = net[0]
    del net
    assert scopes(mine(X)) == ["Linear"]


def test_a_layer_that_is_assigned_anew_or_deleted_is_named_by_what_holds_it_now():
    class Uses(nn.Module):
        def forward(self, x, layer):
            return layer(x)

    outer, layer = Uses(), nn.Linear(2, 2)
    assert scopes(outer(X, layer)) == ["Uses.Linear"]
    outer.inner = layer
    assert scopes(outer(X, layer)) == ["Uses.inner"]
    del outer.inner
    assert scopes(outer(X, layer)) == ["Uses.Linear"]
    outer.inner = layer
    assert scopes(outer(X, layer)) == ["Uses.inner"]
    outer.inner = None
    assert scopes(outer(X, layer)) == ["Uses.Linear"]


def test_a_grandchild_that_is_called_directly_has_its_whole_path():
    class Outer(nn.Module):
        def __init__(self):
            self.inner = Net()

        def forward(self, x):
            return self.inner.layers[1](x)

    assert scopes(Outer()(X)) == ["Outer.inner.layers.1"]


def test_a_scope_that_the_user_opens_stands_between_the_names_of_modules():
    class Outer(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            with mt.scope("twice"):
                return self.inner(self.inner(x))

    with mt.scope("here"):
        assert scopes(Outer()(X)) == ["here.Outer.twice.inner"]


def test_an_exception_in_forward_leaves_no_scope_behind():
    class Fails(nn.Module):
        def forward(self, x):
            raise KeyError("x")

    with pytest.raises(KeyError):
        Fails()(X)
    assert scopes(nn.Linear(2, 1)(X)) == ["Linear"]


def test_hooks_see_arguments_and_output_in_order_and_may_replace_them():
    layer, seen = Counter(), []
    layer.register_forward_pre_hook(lambda m, args: seen.append(("pre", m is layer, len(args))))
    layer.register_forward_hook(lambda m, args, out: seen.append(("post", m is layer, out.shape)))
    layer(mt.tensor([1.0, 1.0]))
    assert seen == [("pre", True, 1), ("post", True, (2,))]
    layer.register_forward_pre_hook(lambda m, args: args[0] * 10)
    layer.register_forward_hook(lambda m, args, out: out + args[0])
    assert layer(mt.tensor([1.0, 1.0])).numpy().tolist() == [20.0, 30.0]


def test_hooks_are_called_in_the_order_in_which_they_came():
    layer = nn.Identity()
    for factor, term in ((2, 1), (3, 5)):
        layer.register_forward_pre_hook(lambda m, args, k=factor, c=term: args[0] * k + c)
        layer.register_forward_hook(lambda m, args, out, k=factor, c=term: out * k + c)
    assert layer(1) == (((1 * 2 + 1) * 3 + 5) * 2 + 1) * 3 + 5


def test_hooks_with_kwargs_get_and_replace_them():
    class Scale(nn.Module):
        def forward(self, x, *, by):
            return x * by

    layer, seen = Scale(), []
    layer.register_forward_pre_hook(lambda m, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
    assert layer(2, by=3) == 8
    assert seen == [{"by": 4}]
    layer.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(TypeError, match=r"returns None or \(args, kwargs\)"):
        layer(2, by=3)


def test_a_removed_hook_is_called_no_more_even_if_it_removes_itself():
    layer, seen = Counter(), []
    once = layer.register_forward_hook(lambda m, args, out: (seen.append(1), once.remove())[0])
    layer(X), layer(X)
    assert seen == [1]
    once.remove()
    with layer.register_forward_pre_hook(lambda m, args: seen.append(2)):
        layer(X)
    layer(X)
    assert seen == [1, 2]


def test_a_hook_on_a_copy_is_not_on_the_original():
    layer, seen = Counter(), []
    layer.register_forward_hook(lambda m, args, out: seen.append("both"))
    for other in (copy.copy(layer), copy.deepcopy(layer)):
        other.register_forward_hook(lambda m, args, out: seen.append("copy"))
    layer(X)
    assert seen == ["both"]


def test_what_a_hook_computes_is_recorded_under_the_modules_path():
    net = Net().eval()
    net.layers[1].register_forward_hook(lambda m, args, out: mt.exp(out))
    graph = mt.Graph.of(net(X))
    assert [n.scope for n in graph.nodes if n.op == "exp"] == ["Net.layers.1"]


# -- what is done to all of it -----------------------------------------------------------------------------------------


def test_train_and_eval_reach_every_module_and_return_the_model():
    net = Net()
    assert all(m.training for m in net.modules())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())


def test_frozen_parameters_get_no_gradient_and_thawed_ones_do():
    net = Net().eval()
    assert net.layers.requires_grad_(False) is net.layers
    net(X).sum().backward()
    assert {n for n, p in net.named_parameters() if p.grad is None} == {
        *("layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias")
    }
    net.requires_grad_()
    net(X).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(X).requires_grad


def test_zero_grad_forgets_or_makes_zeros_also_of_nan():
    net = Counter()
    (net(mt.tensor([np.nan, 1.0])) * 1).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.w.grad.numpy().tolist() == [0.0, 0.0]
    net.zero_grad()
    assert net.w.grad is None
    net.zero_grad(set_to_none=False)
    assert net.w.grad is None


def test_apply_reaches_children_first_and_itself_last():
    net, seen = Net(), []
    assert net.apply(seen.append) is net
    assert seen[-1] is net
    assert seen.index(net.layers) > seen.index(net.layers[1])
    assert len(seen) == len(list(net.modules()))


# -- state -------------------------------------------------------------------------------------------------------------


def values(module):
    return {k: v.numpy().copy() for k, v in module.state_dict().items()}


def test_a_state_dict_goes_round_parameters_and_persistent_buffers_alike():
    a, b = Net(), Net()
    a.counter.steps = mt.tensor(np.array([7]))
    assert list(a.state_dict()) == [
        *("counter.w", "counter.steps", "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"),
        *("heads.a.weight", "heads.a.bias", "heads.b.weight", "heads.b.bias"),
    ]
    before = dict(b.named_parameters())
    assert b.load_state_dict(a.state_dict()) == ([], [])
    np.testing.assert_array_equal(b.eval()(X).numpy(), a.eval()(X).numpy())
    assert b.counter.steps.item() == 7
    assert all(before[n] is p for n, p in b.named_parameters())  # written in place: an optimizer still knows them
    assert not any(np.shares_memory(x.numpy(), y.numpy()) for x, y in zip(a.parameters(), b.parameters(), strict=True))


def test_a_state_dict_is_the_models_own_memory_and_requires_no_gradient():
    layer = nn.Linear(2, 2)
    state = layer.state_dict("top.")
    assert list(state) == ["top.weight", "top.bias"]
    assert not state["top.weight"].requires_grad
    kept = copy.deepcopy(state)
    nn.init.zeros_(layer.weight)
    assert not state["top.weight"].numpy().any()
    assert kept["top.weight"].numpy().any()


def test_missing_unexpected_and_wrong_shape_keys_are_all_listed_at_once_and_nothing_is_loaded():
    net = Net()
    state, before = values(net), values(net)
    state = {k: v + 1 for k, v in state.items()}
    del state["layers.0.bias"], state["heads.a.bias"]
    state |= {"layers.2.weight": np.ones(1), "layers.0.weight": np.ones((2, 3)), "counter.steps": np.array([0.5])}
    with pytest.raises(mt.errors.StateError) as caught:
        net.load_state_dict(state)
    lines = str(caught.value).splitlines()
    assert lines[:5] == [
        "load_state_dict: the state does not fit Net; nothing was loaded.",
        "  missing: layers.0.bias, heads.a.bias",
        "  unexpected: layers.2.weight",
        "  counter.steps: dtype float64 in the state, int64 in the model",
        "  layers.0.weight: shape (2, 3) in the state, (2, 2) in the model",
    ]
    assert isinstance(caught.value, RuntimeError)  # what PyTorch raises
    after = values(net)
    assert all(np.array_equal(after[k], before[k]) for k in before)


def test_without_strict_the_keys_of_one_side_are_returned_but_a_wrong_shape_still_raises():
    net = nn.Linear(2, 2)
    found = net.load_state_dict({"weight": np.ones((2, 2)), "more": np.ones(1)}, strict=False)
    assert found.missing_keys == ["bias"]
    assert found.unexpected_keys == ["more"]
    assert net.weight.numpy().all()
    with pytest.raises(ValueError, match=r"weight: shape \(1, 2\)") as caught:
        net.load_state_dict({"weight": np.ones((1, 2)), "more": np.ones(1)}, strict=False)
    assert "missing" not in str(caught.value)


def test_a_state_that_would_broadcast_is_a_wrong_shape():
    with pytest.raises(ValueError, match=r"bias: shape \(\) in the state, \(2,\) in the model"):
        nn.Linear(2, 2).load_state_dict({"weight": np.ones((2, 2)), "bias": 1.0})


def test_loading_rounds_to_the_models_dtype_and_a_failure_to_round_loads_nothing():
    layer = nn.Linear(1, 1)
    layer.load_state_dict({"weight": np.array([[1 / 3]]), "bias": np.array([2])})
    assert layer.weight.dtype == np.float32
    assert layer.weight.item() == np.float32(1 / 3)
    assert layer.bias.item() == 2.0
    with pytest.raises(RuntimeWarning, match="overflow"):  # warnings are errors in these tests
        layer.load_state_dict({"weight": np.array([[5.0]]), "bias": np.array([1e300])})
    assert layer.weight.item() == np.float32(1 / 3)


def test_a_state_dict_that_shares_the_models_memory_is_loaded_as_it_was():
    a = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    old, state = values(a), a.state_dict()
    swapped = {k: state[k.translate(str.maketrans("01", "10"))] for k in state}
    a.load_state_dict(swapped)
    new = values(a)
    np.testing.assert_array_equal(new["0.weight"], old["1.weight"])
    np.testing.assert_array_equal(new["1.weight"], old["0.weight"])


def test_tied_parameters_are_in_the_state_under_both_names_and_contradictions_are_refused():
    def tied():
        net = nn.ModuleList([nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)])
        net[1].weight = net[0].weight
        return net

    a, b = tied(), tied()
    assert list(a.state_dict()) == ["0.weight", "1.weight"]
    assert [n for n, _ in a.named_parameters()] == ["0.weight"]
    b.load_state_dict(a.state_dict())
    np.testing.assert_array_equal(b[1].weight.numpy(), a[0].weight.numpy())
    with pytest.raises(ValueError, match=r"1\.weight: is the same tensor as 0.weight, but the state has other values"):
        b.load_state_dict({"0.weight": np.zeros((2, 2)), "1.weight": np.ones((2, 2))})
    net = nn.Sequential(shared := nn.Linear(2, 2, bias=False), shared)
    assert list(net.state_dict()) == ["0.weight", "1.weight"]
    b.load_state_dict({"0.weight": np.full((2, 2), np.nan), "1.weight": np.full((2, 2), np.nan)})


def test_values_that_require_a_gradient_are_loaded_since_they_are_copied():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    b.load_state_dict(dict(a.named_parameters()))
    np.testing.assert_array_equal(b.weight.numpy(), a.weight.numpy())
    assert not np.shares_memory(b.weight.numpy(), a.weight.numpy())
    b.load_state_dict({"weight": a.weight * 2, "bias": a.bias})
    np.testing.assert_array_equal(b.weight.numpy(), a.weight.numpy() * 2)
    assert b.weight.requires_grad


def test_values_that_cannot_be_read_are_listed_with_all_that_does_not_fit_and_nothing_is_loaded():
    class Refuses:
        dtype = "unheard"

        def __array__(self, dtype=None, copy=None):
            raise TypeError("this is on another device")

    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    before = values(net)
    state = {"0.weight": np.zeros((2, 2)), "0.bias": Refuses(), "1.weight": [[1.0], [2.0, 3.0]], "1.bias": "ab"}
    with pytest.raises(mt.errors.StateError) as caught:
        net.load_state_dict(state)
    lines = str(caught.value).splitlines()
    assert lines[1] == "  0.bias: a Refuses that cannot be read: this is on another device"
    assert lines[2].startswith("  1.weight: a list that cannot be read: ")
    assert lines[3].startswith("  1.bias: shape () in the state")
    assert all(np.array_equal(values(net)[k], before[k]) for k in before)


@pytest.mark.torch
def test_pytorchs_tensors_are_loaded_also_parameters_and_bfloat16():
    torch = pytest.importorskip("torch")
    layer, theirs = nn.Linear(2, 2), torch.nn.Linear(2, 2)
    layer.load_state_dict(dict(theirs.named_parameters()))
    np.testing.assert_array_equal(layer.weight.numpy(), theirs.weight.detach().numpy())
    half = theirs.bfloat16()
    layer.load_state_dict(dict(half.named_parameters()))
    np.testing.assert_array_equal(layer.weight.numpy(), half.weight.detach().float().numpy())
    with pytest.raises(mt.errors.StateError, match=r"weight: a Tensor that cannot be read: .*\n  bias: shape \(3,\)"):
        layer.load_state_dict({"weight": torch.ones(2, 2, device="meta"), "bias": torch.ones(3)})


def test_a_state_that_is_no_mapping_is_refused():
    with pytest.raises(TypeError, match="got a Linear; it takes a mapping"):
        nn.Linear(1, 1).load_state_dict(nn.Linear(1, 1))


def test_loading_between_forward_and_backward_raises_instead_of_giving_a_wrong_gradient():
    layer = nn.Linear(2, 2)
    loss = layer(mt.tensor(X, requires_grad=True)).sum()
    layer.load_state_dict(nn.Linear(2, 2).state_dict())
    with pytest.raises(mt.InPlaceError):
        loss.backward()


# -- copies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_a_copy_has_the_same_values_mode_buffers_and_ties_and_shares_no_memory(how):
    net = Net().eval()
    net.layers[1].weight = net.layers[0].weight
    net.counter.steps = mt.tensor(np.array([3]))
    net.heads.requires_grad_(False)
    net(X)
    other = how(net)
    np.testing.assert_array_equal(other(X).numpy(), net(X).numpy())
    assert other.layers[1].weight is other.layers[0].weight
    assert other.layers[1].weight is not net.layers[0].weight
    assert not np.shares_memory(other.layers[1].weight.numpy(), net.layers[1].weight.numpy())
    assert not other.drop.training
    assert [n for n, _ in other.named_buffers()] == [n for n, _ in net.named_buffers()]
    assert list(other.state_dict()) == list(net.state_dict())
    assert not other.heads["a"].weight.requires_grad
    assert scopes(other(X)) == scopes(net(X))


def test_a_shallow_copy_shares_the_parameters_but_not_the_list_of_modules():
    net = Net()
    other = copy.copy(net.layers)
    assert other[0] is net.layers[0]
    other.append(nn.Linear(2, 2))
    assert (len(other), len(net.layers)) == (3, 2)
    twin = copy.copy(net.counter)
    twin.register_buffer("more", [1.0])
    assert "more" not in dict(net.counter.named_buffers())


def test_a_model_that_is_dropped_is_freed_at_once_with_the_garbage_collector_off():
    gc.disable()
    try:
        net = Net()
        net(X).sum().backward()
        gone = weakref.ref(net), weakref.ref(net.layers[0].weight)
        del net
        assert [r() for r in gone] == [None, None]
    finally:
        gc.enable()


# -- containers --------------------------------------------------------------------------------------------------------


def test_sequential_takes_modules_one_list_or_names():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    for made in (nn.Sequential(a, b), nn.Sequential([a, b]), nn.Sequential({"x": a, "y": b})):
        assert list(made) == [a, b]
        np.testing.assert_array_equal(made(X).numpy(), b(a(X)).numpy())
    assert list(nn.Sequential(a)) == [a]
    assert list(nn.Sequential()) == []
    assert nn.Sequential()(3) == 3
    nested = nn.Sequential(nn.Sequential(a, b))
    assert [name for name, _ in nested.named_modules()] == ["", "0", "0.0", "0.1"]
    for wrong in (lambda: nn.Sequential(a, mt.relu), lambda: nn.Sequential(mt.relu)):
        with pytest.raises(TypeError, match=r"Sequential: entry \d is a Primitive; it takes nn\.Modules"):
            wrong()


def test_named_entries_of_a_sequential_keep_their_names_when_others_come_and_go():
    net = nn.Sequential({"inner": nn.Linear(2, 2), "head": nn.Linear(2, 1)})
    net.append(nn.Identity())
    assert [name for name, _ in net.named_children()] == ["inner", "head", "2"]
    net[1] = nn.Linear(2, 3)
    assert [name for name, _ in net[:2].named_children()] == ["inner", "head"]
    assert net.head is net[1]
    assert isinstance(net[:2], nn.Sequential)
    assert net[:2](X).shape == (1, 3)
    with pytest.raises(AttributeError, match="Sequential has no attribute 'tail'"):
        _ = net.tail


def test_a_module_list_is_a_list():
    a, b, c = (nn.Identity() for _ in range(3))
    held = nn.ModuleList([a])
    held.append(b).extend([c])
    assert [list(held), len(held), held[-1], list(held[1:])] == [[a, b, c], 3, c, [b, c]]
    assert b in held
    assert nn.Identity() not in held
    held += [a]
    assert list(held.__add__([b])) == [a, b, c, a, b]
    held[0] = c
    del held[1]
    held.insert(1, b)
    assert list(held) == [c, b, c, a]
    assert [n for n, _ in held._held()] == ["0", "1", "2", "3"]
    with pytest.raises(TypeError, match=r"ModuleList: entry 4 is a ndarray; it takes nn\.Modules"):
        held.append(np.ones(1))
    assert len(held) == 4


def test_a_module_dict_is_a_dictionary():
    held = nn.ModuleDict([("a", nn.Identity())])
    held["b"] = nn.Linear(1, 1)
    held.update({"a": nn.Dropout()})
    assert list(held) == list(held.keys()) == ["a", "b"]
    assert [name for name, _ in held.items()] == ["a", "b"]
    assert isinstance(held["a"], nn.Dropout)
    assert list(held.values())[1] is held["b"] is held.b
    assert isinstance(held.pop("a"), nn.Dropout)
    del held["b"]
    assert len(held) == 0
    with pytest.raises(ValueError, match=r"'a\.b' cannot be the name of an entry"):
        held["a.b"] = nn.Identity()
    with pytest.raises(NotImplementedError):
        held(X)


def test_containers_hold_parameters_too_and_they_are_found_saved_and_copied():
    class Mixed(nn.Module):
        def __init__(self):
            self.scales = nn.ParameterList([nn.Parameter([1.0]), nn.Parameter([2.0])])
            self.named = nn.ParameterDict({"a": mt.tensor([3.0])})

        def forward(self, x):
            for p in self.scales:
                x = x * p
            return x * self.named["a"]

    net = Mixed()
    net.scales.append(nn.Parameter([4.0])).extend([nn.Parameter([5.0])])
    net.named["b"] = nn.Parameter([6.0])
    net.named.update({"c": nn.Parameter([7.0])})
    assert isinstance(net.named.pop("c"), nn.Parameter)
    names = ["scales.0", "scales.1", "scales.2", "scales.3", "named.a", "named.b"]
    assert [name for name, _ in net.named_parameters()] == list(net.state_dict()) == names
    assert [p.item() for p in net.parameters()] == [1, 2, 3 + 1, 5, 3, 6]
    assert net.named.a is net.get_parameter("named.a") is net.named["a"]
    net(X).sum().backward()
    assert net.scales[1].grad is not None
    other = copy.deepcopy(net)
    other.load_state_dict({name: np.array([0.0]) for name in names})
    assert not any(p.item() for p in other.parameters())
    assert all(p.item() for p in net.parameters())
    net.scales[0] = nn.Parameter([9.0])
    assert net.scales.pop(0).item() == 9.0
    assert len(net.scales) == 3
    with pytest.raises(TypeError, match=r"ParameterList: entry 3 is a Linear; it takes nn\.Parameters"):
        net.scales.append(nn.Linear(1, 1))


def test_entries_are_taken_out_as_from_a_list_and_a_dictionary():
    a, b, c = (nn.Identity() for _ in range(3))
    held = nn.ModuleList([a, b, c])
    assert [held.pop(), held.pop(0)] == [c, a]
    assert list(held) == [b]
    with pytest.raises(IndexError):
        held.pop(1)
    names = nn.ModuleDict({"a": a, "b": b})
    names.update(nn.ModuleDict({"b": c}))
    assert list(names.values()) == [a, c]
    names.clear()
    assert len(names) == 0
    with pytest.raises(KeyError):
        names.pop("a")


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.ModuleList(nn.Linear(1, 1)),
        lambda: nn.ModuleList(3),
        lambda: nn.ModuleDict(3),
        lambda: nn.ParameterList(nn.Parameter([1.0])),
        lambda: nn.ModuleList().extend(3),
    ],
)
def test_a_container_says_what_it_takes(make):
    with pytest.raises(mt.DtypeError, match=r"(List|Dict): got a \w+; it takes a (list|dictionary)"):
        make()


def test_parameters_and_buffers_are_found_by_their_paths():
    net = Net()
    assert net.get_parameter("layers.1.bias") is net.layers[1].bias
    assert net.get_buffer("counter.steps") is net.counter.steps
    with pytest.raises(
        AttributeError, match=r"Net has no parameter 'layers.1'; below it are counter.w, layers.0.weight"
    ):
        net.get_parameter("layers.1")
    with pytest.raises(AttributeError, match=r"Net has no buffer 'w'; below it are counter.steps, counter.cache"):
        net.get_buffer("w")


# -- repr --------------------------------------------------------------------------------------------------------------


def test_repr_shows_the_tree_with_shapes_and_counts():
    assert repr(Net()) == (
        "Net(20 parameters)\n"
        "  counter: Counter(2 parameters: w (2,); buffers: steps (1,), cache (2,))\n"
        "  layers: ModuleList(12 parameters)\n"
        "    0-1: 2 x Linear(6 parameters: weight (2, 2), bias (2,))\n"
        "  heads: ModuleDict(6 parameters)\n"
        "    a: Linear(3 parameters: weight (1, 2), bias (1,))\n"
        "    b: Linear(3 parameters: weight (1, 2), bias (1,))\n"
        "  drop: Dropout(p=0.5)"
    )


def test_repr_counts_a_shared_parameter_once():
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    net[1].weight = net[0].weight
    assert repr(net).splitlines()[0] == "Sequential(4 parameters)"
