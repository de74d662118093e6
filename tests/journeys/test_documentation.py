"""Links lead somewhere, every page can be found from the index, and examples print what the pages say."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.check_links import anchors, broken, links, pages

ROOT = Path(__file__).parents[2]


def test_every_link_leads_somewhere():
    done = subprocess.run(
        [sys.executable, "scripts/check_links.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_page_is_in_the_index():
    linked = set(links((ROOT / "docs" / "index.md").read_text()))
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or page.name in linked, f"docs/index.md does not link to {page.name}"


EXAMPLES = [page for page in sorted(pages()) if "\n>>> " in page.read_text()]


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_print_what_the_page_says(page):
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    done = doctest.testfile(str(page), module_relative=False, optionflags=flags)
    assert done.attempted > 0
    assert done.failed == 0, "the output above names the examples"


def test_there_are_pages():
    assert {ROOT / "README.md", ROOT / "docs" / "architecture.md"} <= set(pages())


PAGE = "# A page\n\n## Two words, `code`\n\n## Again\n\n## Again\n\n```text\n# no heading, [no link](nowhere)\n```\n"


def test_headings_become_anchors():
    assert anchors(PAGE) == {"a-page", "two-words-code", "again", "again-1"}


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("[x](other.md)", None),
        ("[x](other.md#again-1)", None),
        ("[x](#top)", None),
        ("![x](other.md)", None),
        ("[x](https://example.org/nowhere)", None),
        ("`[x](nowhere.md)`", None),
        ('<img src="other.md">', None),
        ("[x](nowhere.md)", "nowhere.md does not exist"),
        ("![x](nowhere.png)", "nowhere.png does not exist"),
        ('<img src="nowhere.png">', "nowhere.png does not exist"),
        ("[x](other.md#again-2)", "other.md#again-2: no such heading there"),
        ("[x](#bottom)", "#bottom: no such heading there"),
        ("[x](../../outside.md)", "../../outside.md leads out of the project"),
    ],
)
def test_broken_links_are_found(tmp_path, link, fault):
    (tmp_path / "other.md").write_text(PAGE)
    (tmp_path / "page.md").write_text(f"# Top\n\n{link}\n")
    assert list(broken(tmp_path / "page.md", tmp_path)) == ([fault] if fault else [])
