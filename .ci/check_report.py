"""Does the report parse, and are its numbers there?  The page must agree with what `--json` prints."""

import html.parser
import json
import re
import subprocess
import sys
from pathlib import Path

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(html.parser.HTMLParser):
    """Collects texts and tags; fails where a tag is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def main(path: str) -> None:
    source = Path(path).read_text(encoding="utf-8")
    page = Page()
    page.feed(source)
    page.close()
    assert not page.open, f"not closed: {page.open}"
    text = " ".join(page.text)

    outside = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href") and value]
    assert not outside, f"the page refers to {outside}"
    assert not any(tag == "script" for tag, _ in page.tags), "the page has a script"
    assert sum(tag == "svg" for tag, _ in page.tags) == 1, "there is not exactly one figure"
    assert sum(tag == "math" for tag, _ in page.tags) >= 4, "there are no formulas"

    command = [sys.executable, "-m", "viz", "compare", "--json"]
    numbers = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    rnn, attention = numbers["models"][:2]
    assert rnn["path_hops"] == len(rnn["tokens"]) + 1, rnn["path_hops"]
    assert attention["path_hops"] == 2, attention["path_hops"]
    for model in (rnn, attention):
        assert f"shortest path from loss L to token 1: {model['path_hops']} hops" in text
        assert all(word in text for word in model["tokens"])
    for row in numbers["by_length"]:
        assert f"{row['saved_bytes']:,}" in text, row
    assert len(numbers["derivations"]) == 4
    for derivation in numbers["derivations"]:
        assert derivation["verdict"] == "proved for all sizes", derivation
        assert len(derivation["methods"]) >= 2, derivation
    assert len(re.findall("proved for all sizes", text)) >= 4
    print(f"ci: {path}: {len(source):,} characters; the figure, the tables and all derivations are there")


if __name__ == "__main__":
    main(sys.argv[1])
