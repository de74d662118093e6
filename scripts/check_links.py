"""Check that every relative link and picture in the documentation leads somewhere, headings included."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|<(?:img|a)\s[^>]*?(?:src|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def pages(root: Path = ROOT) -> list[Path]:
    """Return the Markdown files that belong to the project: tracked ones, and new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:  # not a checkout: an unpacked source archive
        return sorted(path for path in root.rglob("*.md") if not any(part.startswith(".") for part in path.parts))
    return sorted(root / line for line in listed.stdout.splitlines() if (root / line).exists())


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings: lower case, hyphens for spaces, no punctuation, repeats numbered."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        anchor = base = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        number = 0
        while anchor in found:
            number += 1
            anchor = f"{base}-{number}"
        found.add(anchor)
    return found


def links(text: str) -> Iterator[str]:
    """Yield the targets of a page's links, those in code left out."""
    for match in LINK.finditer(CODE.sub("", FENCE.sub("", text))):
        yield match.group(1) or match.group(2)


def broken(page: Path, root: Path = ROOT) -> Iterator[str]:
    """Yield one sentence for every link of a page that leads nowhere."""
    text = page.read_text(encoding="utf-8")
    for link in links(text):
        if ELSEWHERE.match(link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if root not in (target, *target.parents):
            yield f"{link} leads out of the project"
        elif not target.exists():
            yield f"{link} does not exist"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"{link}: no such heading there"


def main() -> int:
    """Print every broken link."""
    found = [f"{page.relative_to(ROOT)}: {fault}" for page in pages() for fault in broken(page)]
    print("\n".join(found) or f"{len(pages())} pages, every link leads somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
