"""Is a derivation the same in every format, whole, and in letters that a reader knows?"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from minitorch.symbolic import derive, deriving, explain, textbook
from minitorch.symbolic.document import FORMATS, Document, compose_operation, guide, write
from minitorch.symbolic.document.blocks import Equations, Line, Steps
from minitorch.symbolic.document.markdown import write_markdown
from minitorch.symbolic.library import LIBRARY
from minitorch.symbolic.phrase import Maths, Phrase
from minitorch.symbolic.verdict import TESTED, Verdict

DOCS = Path(__file__).resolve().parents[2] / "docs" / "derivations.md"
QUICK = ("softmax", "linear", "gelu", "silu", "rms-norm", "kl-divergence")


@cache
def document(name: str) -> Document:
    known = LIBRARY[name]
    return compose_operation(
        known.title, known.program, known.differentiated, "G", guide.steps_of(name), known.about
    )  # fmt: skip


def lines_of(made: Document) -> list[Line]:
    return [line for b in made.blocks if isinstance(b, Steps) for part in b.parts for line in part.lines]


def formulas_of(made: Document) -> list[Maths]:
    """Every formula of a document, those in sentences too."""
    phrases = [p for block in made.blocks for p in vars(block).values() if isinstance(p, Phrase)]
    phrases += [line.reason for line in lines_of(made)]
    shown = [line for b in made.blocks if isinstance(b, Equations) for line in b.lines]
    shown += [line.equation for line in lines_of(made)]
    return shown + [part for phrase in phrases for part in phrase if isinstance(part, Maths)]


@pytest.fixture
def believed(monkeypatch):
    """Nothing is proved, which takes most of the time: how all operations look is asked here, not whether they hold."""
    verdict = Verdict(TESTED, ("not checked here",))
    monkeypatch.setattr(deriving, "prove_equal", lambda *_, **__: verdict)
    monkeypatch.setattr(textbook, "prove_equal", lambda *_, **__: verdict)
    monkeypatch.setattr(derive, "gradient_verdict", lambda *_, **__: verdict)
    monkeypatch.setattr(explain, "checked_diff", lambda *_: "not checked here")


@pytest.mark.parametrize("name", LIBRARY)
def test_every_step_has_a_rule_and_a_reason_and_no_formula_shows_an_internal_number(believed, name):
    known = LIBRARY[name]
    derived = guide.steps_of.__wrapped__(name)
    made = compose_operation(known.title, known.program, known.differentiated, "G", derived, known.about)
    assert all(line.rule and str(line.reason) for line in lines_of(made))
    assert all(line.proof for line in lines_of(made) if line.rule != "chain rule")
    assert formulas_of(made)
    for maths in formulas_of(made):
        assert not re.search(r"[#~]", maths.text + maths.latex), maths.text
        assert maths.latex.count("{") == maths.latex.count("}")


@pytest.mark.parametrize("name", QUICK)
def test_every_gradient_ends_with_the_textbooks_form_its_source_and_its_verdict(name):
    text = write(document(name), "txt")
    assert text.count("The textbook's form is equal to it (") == len(LIBRARY[name].wrt)
    assert text.count("✓ proved for all sizes: ") == 2 * len(LIBRARY[name].wrt)
    assert LIBRARY[name].source.split(",")[0] in text.replace("\n", " ")


def test_what_was_derived_for_one_input_is_not_told_again_for_the_next():
    equations = [line.equation.text for line in lines_of(document("linear")) + lines_of(document("rms-norm"))]
    assert len(equations) == len(set(equations))


def test_the_reason_names_the_delta_and_the_term_that_it_leaves():
    said = [str(line.reason) for line in lines_of(document("linear")) if line.rule == "contract deltas"]
    assert all(re.search(r"δ\((\w),(\w)\) leaves one term of the sum over \w, that with (\w = \w)", s) for s in said)


class Page(HTMLParser):
    """Checks that tags are closed in order."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_folds_its_steps_and_needs_nothing_from_outside():
    text = write(document("softmax"), "html")
    page = Page(text)
    assert page.open == []
    assert {"math", "details", "summary", "ol"} <= set(page.tags)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "prefers-color-scheme:dark" in text.replace(" ", "")
    assert not re.search(r"(src|href)=|url\(|@import", text)
    for mathml in re.findall(r"<math.*?</math>", text):
        ElementTree.fromstring(mathml)


def test_what_users_name_is_shown_as_text_in_a_page():
    hostile = Document("<script>", (Steps("<b>", ()),))
    assert "<script>" not in write(hostile, "html")
    assert "<b>" not in write(hostile, "html")


def test_latex_is_a_complete_file_that_needs_amsmath_alone():
    text = write(document("rms-norm"), "tex")
    assert re.findall(r"\\usepackage(?:\[\w+\])?\{(\w+)\}", text) == ["amsmath"]
    for begin in re.findall(r"\\begin\{(.*?)\}", text):
        assert text.count(rf"\begin{{{begin}}}") == text.count(rf"\end{{{begin}}}")
    outside = re.sub(r"\\begin\{align\*\}.*?\\end\{align\*\}|\$.*?\$", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)[_^#&~]", outside.split(r"\begin{document}")[1])


def test_markdown_has_no_backslash_before_punctuation_in_its_mathematics():
    text = write_markdown(document("softmax"))
    shown = re.findall(r"\$\$\n(.*?)\n\$\$", text) + re.findall(r"(?<!\$)\$([^$\n]+)\$", text)
    assert len(shown) > 20
    assert not [s for s in shown if re.search(r"\\[^A-Za-z]", s)]
    assert text.count("<details>") == text.count("</details>") == 1


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_every_step(form):
    text = write(document("silu"), form)
    for rule in ("chain rule", "differentiate", "insert", "contract deltas"):
        assert rule in text.lower()


# -- docs/derivations.md, which .ci/run derives anew as a whole -------------------------------------------------------


@pytest.mark.parametrize("name", QUICK)
def test_the_page_of_all_derivations_is_current(name):
    blocks = tuple(guide.chapter_blocks(name))
    assert write_markdown(Document("", blocks)) in DOCS.read_text(encoding="utf-8"), (
        "docs/derivations.md is not current. Run: python -m minitorch derive --all -o docs/derivations.md"
    )


def test_the_page_of_all_derivations_tells_every_operation_once_in_the_order_of_the_story():
    told = re.findall(r"^### (.*)$", re.sub(r"\\(.)", r"\1", DOCS.read_text(encoding="utf-8")), re.MULTILINE)
    titles = [LIBRARY[name].title for name in guide.story()]
    assert told[: len(titles)] == titles
    assert told[len(titles) :] == [theorem.title for theorem in guide.theorems()]
    assert sorted(guide.story()) == sorted(LIBRARY)


def test_the_page_of_all_derivations_has_no_number_that_depends_on_the_machine():
    text = DOCS.read_text(encoding="utf-8")
    assert "largest error" not in text
    assert not re.search(r"\d seconds|\d+\.\d+ s\b", text)
