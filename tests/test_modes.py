"""Do modes hold exactly where they were asked to, and are they gone afterwards?"""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

import minitorch as mt
from minitorch import modes


def records() -> bool:
    return (mt.tensor(1.0, requires_grad=True) * 2).requires_grad


def test_no_grad_nests_and_enable_grad_reopens():
    with mt.no_grad():
        assert not records()
        with mt.enable_grad():
            assert records()
            with mt.no_grad():
                assert not records()
            assert records()
        assert not records()
    assert records()


def test_no_grad_is_left_after_an_exception():
    with pytest.raises(KeyError), mt.no_grad():
        raise KeyError
    assert records()


def test_no_grad_as_a_decorator_keeps_the_name_and_holds_inside_only():
    @mt.no_grad()
    def inside():
        return records()

    assert inside.__name__ == "inside"
    assert not inside()
    assert records()


def test_no_grad_on_a_generator_holds_in_its_code_and_not_in_its_consumer():
    @mt.no_grad()
    def two():
        got = yield records()
        yield got, records()
        return "end"

    def outer():
        end = yield from two()
        yield end

    generator = outer()
    assert next(generator) is False
    assert records()
    assert generator.send("sent") == ("sent", False)
    assert records()
    assert next(generator) == "end"


def test_a_decorated_generator_is_closed_with_its_consumer():
    closed = []

    @mt.no_grad()
    def endless():
        try:
            while True:
                yield records()
        finally:
            closed.append(True)

    generator = endless()
    next(generator)
    generator.close()
    assert closed == [True]
    assert records()


def test_one_mode_object_may_be_entered_again_before_it_is_left():
    mode = mt.no_grad()
    with mode, mt.enable_grad(), mode:
        assert not records()
    assert records()


def test_modes_belong_to_their_thread():
    seen = {}

    def other():
        seen["before"] = records()
        with mt.no_grad(), mt.scope("other"):
            entered.set()
            leave.wait(5)

    entered, leave = threading.Event(), threading.Event()
    with mt.scope("main"), mt.no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        entered.wait(5)
    assert records()
    assert modes.current().scope == ""
    leave.set()
    thread.join()
    assert seen == {"before": True}


def test_modes_belong_to_their_task():  # case 13
    async def quiet(inside, leave):
        with mt.no_grad(), mt.scope("quiet"):
            inside.set()
            await leave.wait()
            return records()

    async def loud(inside, leave):
        await inside.wait()
        before = records(), mt.modes.current().scope
        leave.set()
        return before

    async def both():
        inside, leave = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(quiet(inside, leave), loud(inside, leave))

    assert asyncio.run(both()) == [False, (True, "")]
    assert records()


def test_one_mode_object_may_be_shared_by_threads():
    shared, entered, left = mt.no_grad(), threading.Event(), threading.Event()
    seen = []

    def other():
        with mt.scope("other"):
            with shared:
                entered.set()
                left.wait(5)
            seen.append(modes.current().scope)

    thread = threading.Thread(target=other)
    with mt.scope("main"):
        with shared:
            thread.start()
            entered.wait(5)
        assert modes.current().scope == "main"
    left.set()
    thread.join()
    assert seen == ["other"]


def nodes(y):
    return [(n.op, n.scope, n.step) for n in mt.Graph.of(y).nodes if n.op]


def test_scope_and_step_are_recorded_on_the_nodes_of_the_graph():
    x = mt.tensor(1.0, requires_grad=True)
    with mt.scope("encoder"), mt.step(0):
        y = mt.exp(x)
        with mt.scope("attention"), mt.step(1):
            y = mt.tanh(y)
    y = -y
    assert nodes(y) == [("exp", "encoder", 0), ("tanh", "encoder.attention", 1), ("negative", "", None)]


def test_a_scope_is_found_where_it_is_entered_not_where_it_was_made():
    @mt.scope("inner")
    def decorated(x):
        return mt.exp(x)

    made = mt.scope("kept")
    x = mt.tensor(1.0, requires_grad=True)
    with mt.scope("outer"):
        y = decorated(x)
        with made:
            y = mt.tanh(y)
    assert [scope for _, scope, _ in nodes(y)] == ["outer.inner", "outer.kept"]


def test_the_default_dtype_holds_for_numbers_and_parameters():
    with mt.default_dtype(np.float64):
        assert mt.tensor([1.0]).dtype == mt.nn.Linear(1, 1).weight.dtype == np.float64
    assert mt.tensor([1.0]).dtype == mt.nn.Linear(1, 1).weight.dtype == np.float32


def test_the_default_dtype_is_a_floating_one():
    with pytest.raises(mt.DtypeError, match=r"default_dtype\(int32\): parameters are floating-point numbers"):
        mt.default_dtype("int32")


def test_no_grad_on_a_coroutine_function_holds_in_its_body_and_not_in_other_tasks():
    @mt.no_grad()
    async def inside(entered, leave):
        entered.set()
        await leave.wait()
        return records()

    async def both():
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.ensure_future(inside(entered, leave))
        await entered.wait()
        outside = records()
        leave.set()
        return await task, outside

    assert asyncio.run(both()) == (False, True)


def test_no_grad_on_an_async_generator_holds_in_its_code_and_not_in_its_consumer():
    @mt.no_grad()
    async def two():
        yield records()
        yield records()

    async def consume():
        return [(value, records()) async for value in two()]

    assert asyncio.run(consume()) == [(False, True), (False, True)]


def test_an_exception_thrown_into_a_decorated_generator_reaches_its_code():
    @mt.no_grad()
    def two():
        try:
            yield 1
        except KeyError:
            yield records()

    generator = two()
    next(generator)
    assert generator.throw(KeyError()) is False
    assert records()


def test_no_grad_decorates_without_parentheses_too():
    @mt.no_grad
    def quiet():
        """Its words."""
        return records()

    @mt.enable_grad
    def loud():
        return records()

    assert not quiet()
    assert quiet.__doc__ == "Its words."
    with mt.no_grad():
        assert loud()
