"""Do the imports follow the arrows, and does every file say which question it answers?"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TypeGuard

import pytest

import minitorch as mt

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(p for top in ("minitorch", "transformer", "viz") for p in (ROOT / top).rglob("*.py"))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))

# Each module of the engine, with those that it may import; what stands later knows what stands earlier.
ORDER = [
    *("errors", "files"),
    *("arguments", "handles", "shapes", "explain", "options", "signature", "misread", "modes", "random"),
    *("record", "primitive"),
    *(
        "ops.dtype",
        "ops.select",
        "ops.movement",
        "ops.elementwise",
        "ops.powers",
        "ops.reduce",
        "ops.indexing",
        "ops.linalg",
    ),
    *(
        "ops.trigonometric",
        "ops.error_function",
        "ops.activations",
        "ops.arrangement",
        "ops.scaled",
        "ops.scan",
        "ops.statistics",
    ),
    *("ops.contraction", "ops.diagonal", "ops.gathering", "ops.order", "ops.dropout", "ops.convolution", "ops.norms"),
    *("ops.fused", "ops.rotary", "ops.distances", "ops.losses", "ops.writing"),
    *("ops.masks", "ops.attention_shapes", "ops.attention_products", "ops.attention_chunked", "ops.attention", "ops"),
    *(
        "rewritten.arithmetic",
        "rewritten.arrangement",
        "rewritten",
        "reading",
        "versions",
        "aliases",
        "entrywise",
        "pytorch_names",
        "methods",
        "operators",
        "inplace",
        "wanting",
        "container",
        "tensor",
        "operands",
        "plan",
        "call",
        "tape",
        "reach",
        "graph",
        "sweep",
        "reverse",
        *(
            "trees",
            "intercept",
            "functional",
            "dual",
            "argnums",
            "forward",
            "pullback",
            "transforms",
            "reads",
            "checkpoint",
        ),
        "check",
        "memory",
    ),
    *(
        "nn.backward_hooks",
        "nn.hooks",
        "nn.show",
        "nn.state",
        "nn.init",
        "nn.tree",
        "nn.module",
        "nn.layers",
        "nn.norms",
        "nn.losses",
        "nn.activations",
        "nn.containers",
        "nn",
    ),
    *(
        "optim.optimizer",
        "optim.descent",
        "optim.clip",
        "optim.schedule",
        "optim",
        "serialize",
        "interop",
        "creation",
        "exchange",
    ),
    *("testing.case", "testing.outcome", "testing.derivatives", "testing.values", "testing.shapes", "testing.keeping"),
    *("testing.formulas", "testing.checks", "testing.examination", "testing"),
    *("commands.check", "commands.derive", "commands", "__main__"),
]
# Inside their functions only: SymPy is loaded when a formula is checked.
MAY_USE_SYMBOLIC = {"testing.formulas", "testing", "commands.check", "commands.derive"}
ONLY_IN = {"sympy": "minitorch/symbolic/", "latex2mathml": "minitorch/symbolic/", "graphviz": "viz/dot.py", "numba": ""}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {name_of(p): p for p in FILES}


def is_type_checking(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imported(path: Path, *, on_loading: bool = False) -> set[str]:
    """Every module that the file imports at run time; also inside functions, unless only loading it is asked about."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            for a in node.names:
                full = f"{node.module}.{a.name}"
                found.add(full if full in modules() else str(node.module))
        if not (on_loading and isinstance(node, ast.FunctionDef)):
            nodes += node.orelse if is_type_checking(node) else ast.iter_child_nodes(node)
    return found


def tops(path: Path) -> set[str]:
    return {m.split(".")[0] for m in imported(path)}


@pytest.mark.parametrize("k", range(len(ORDER)), ids=ORDER)
def test_a_module_of_the_engine_imports_only_what_stands_before_it(k):
    path = modules()[f"minitorch.{ORDER[k]}"]
    inner = {m.removeprefix("minitorch.") for m in imported(path) if m.startswith("minitorch.")}
    if ORDER[k] in MAY_USE_SYMBOLIC:
        assert not any("symbolic" in m for m in imported(path, on_loading=True))
        inner = {m for m in inner if m.split(".")[0] != "symbolic"}
    assert inner <= set(ORDER[:k])
    assert "minitorch" not in imported(path)


def test_the_order_names_every_module_of_the_engine():
    names = {n.removeprefix("minitorch.") for n in modules() if n.startswith("minitorch.")}
    assert {n for n in names if not n.startswith("symbolic")} == set(ORDER)


def test_there_is_no_cycle():
    on_loading = {name: imported(path, on_loading=True) for name, path in modules().items()}
    arrows = {name: {m for m in found if m in modules()} for name, found in on_loading.items()}
    assert len(list(TopologicalSorter(arrows).static_order())) == len(modules())


@every_file
def test_packages_import_only_downwards(path):
    allowed = {"minitorch": {"minitorch"}, "transformer": {"minitorch", "transformer"}}
    ours = tops(path) & {"minitorch", "transformer", "viz"}
    assert ours <= allowed.get(path.relative_to(ROOT).parts[0], {"minitorch", "transformer", "viz"})


@every_file
def test_a_dependency_is_imported_in_one_place_only(path):
    for dependency, place in ONLY_IN.items():
        here = str(path.relative_to(ROOT)).replace("\\", "/")
        assert dependency not in tops(path) or (place and here.startswith(place)), f"{here} imports {dependency}"


@pytest.mark.parametrize("path", sorted((ROOT / "transformer").rglob("*.py")), ids=lambda p: p.name)
def test_the_transformer_uses_only_public_names_of_the_engine(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    engine = {m for m in imported(path) if m.split(".")[0] == "minitorch"}
    assert engine <= {"minitorch", "minitorch.nn", "minitorch.memory", "minitorch.symbolic", "minitorch.files"}
    private = [n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr.startswith("_")]
    own = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "self"}
    assert {p for p in private if not p.startswith("__")} <= own


def test_importing_the_engine_loads_numpy_and_nothing_heavier():
    code = "import sys, json, minitorch; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT).stdout)
    assert "numpy" in loaded
    assert not {"sympy", "graphviz", "numba", "tqdm", "latex2mathml", "transformer", "viz"} & set(loaded)


@every_file
def test_a_file_says_which_question_it_answers_and_stays_short(path):
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "no module docstring"
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("name", mt.__all__)
def test_every_public_name_exists_and_is_documented(name):
    value = getattr(mt, name)
    if not isinstance(value, mt.Primitive):
        assert name == "Array" or value.__doc__
    elif value.differentiable:  # a comparison needs no words
        assert value.forward.__doc__


# -- and can the tests fail? -------------------------------------------------------------------------------------------


def test_a_text_that_stands_only_in_the_line_of_the_test_is_not_found_in_an_error():
    with pytest.raises(pytest.fail.Exception) as caught, pytest.raises(mt.ShapeError, match="in this line"):
        raise mt.ShapeError("elsewhere")
    assert "wanted 'in this line'" in str(caught.value)
    assert "got    'elsewhere'" in str(caught.value)
    with pytest.raises(mt.ShapeError, match=r"\Aelsewhere\Z") as caught:
        raise mt.ShapeError("elsewhere")  # this line
    assert str(caught.value).endswith("# this line")
