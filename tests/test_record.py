"""Is a record given each field once, and never changed?"""

import copy
import pickle

import pytest

from minitorch.record import Record


class Point(Record):
    """With and without a default."""

    x: float
    y: float = 0.0


class Named(Point):
    """The fields of its base come first."""

    name: str = ""


def test_fields_are_given_by_place_or_by_name():
    assert [(p.x, p.y) for p in (Point(1.0), Point(1.0, 2.0), Point(y=2.0, x=1.0))] == [(1, 0), (1, 2), (1, 2)]
    assert repr(Named(1.0, name="a")) == "Named(x=1.0, y=0.0, name='a')"


@pytest.mark.parametrize(
    "make",
    [lambda: Point(), lambda: Point(y=1.0), lambda: Point(1.0, x=1.0), lambda: Point(1, 2, 3), lambda: Point(1.0, z=2)],
    ids=["nothing", "one is missing", "one comes twice", "too many", "an unknown one"],
)
def test_what_does_not_fit_is_refused(make):
    with pytest.raises(TypeError, match=r"^Point takes each once: x, y\.$"):
        make()


def test_a_record_is_not_changed():
    point = Point(1.0)
    with pytest.raises(AttributeError, match=r"^Point\.x cannot be set"):
        point.x = 2.0
    with pytest.raises(AttributeError, match=r"^Point\.z cannot be set"):
        point.z = 2.0
    with pytest.raises(AttributeError, match=r"^Point\.x cannot be deleted"):
        del point.x
    assert point.x == 1.0


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_a_copy_holds_the_same(again):
    twin = again(Named(1.0, name="a"))
    assert (type(twin), twin.x, twin.y, twin.name) == (Named, 1.0, 0.0, "a")
    with pytest.raises(AttributeError):
        twin.x = 2.0
