"""What the checks of the hygiene suite share: the files of the tree, C++ with its comments and strings
blanked out, and the way results are counted and self-tests are run."""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPP = (".cpp", ".hpp")


class Tree:
    """The files that git tracks or would track; in a self-test, all files below `root`."""

    def __init__(self, root=ROOT):
        self.root = Path(root)
        if (self.root / ".git").exists():
            listed = subprocess.run(
                ["git", "ls-files", "-co", "--exclude-standard", "-z"],
                cwd=self.root, check=True, capture_output=True, text=True).stdout.split("\0")
            self.files = sorted({f for f in listed if f and (self.root / f).is_file()})
        else:
            self.files = sorted(str(p.relative_to(self.root))
                                for p in self.root.rglob("*") if p.is_file())
        self._text, self._blank = {}, {}

    def below(self, *folders, suffixes=CPP):
        """Files below one of the folders with one of the suffixes."""
        return [f for f in self.files
                if f.endswith(suffixes) and any(f.startswith(d + "/") for d in folders)]

    def text(self, file):
        """The text; None for what is not text."""
        if file not in self._text:
            data = (self.root / file).read_bytes()
            try:
                self._text[file] = None if b"\0" in data else data.decode()
            except UnicodeDecodeError:
                self._text[file] = None
        return self._text[file]

    def code(self, file):
        """C++ with comments, strings and character literals blanked; positions and lines stay."""
        if file not in self._blank:
            self._blank[file] = blank(self.text(file) or "")
        return self._blank[file]

    def exists(self, path):
        return (self.root / path).exists()


TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\\ ]{0,16})\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'", re.DOTALL)


def blank(text):
    """Comments become spaces; of strings the quotes stay."""
    def spaces(match):
        found = match.group()
        inner = re.sub(r"[^\n]", " ", found)
        return inner if found[0] == "/" else f'"{inner[1:-1]}"'
    return TOKEN.sub(spaces, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def closing(code, start):
    """The position of the bracket that closes the one at `start`, or the end of the text."""
    pairs = {"{": "}", "(": ")", "[": "]"}
    opening, end, depth = code[start], pairs[code[start]], 0
    for i in range(start, len(code)):
        if code[i] == opening:
            depth += 1
        elif code[i] == end:
            depth -= 1
            if depth == 0:
                return i
    return len(code) - 1


def run(rules, self_test, doc):
    """The main program of a check. A rule is a function of a Tree that yields lines of complaint; its
    docstring is its name. Every rule counts as one test; so does every planted mistake."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--self-test", action="store_true",
                        help="plant one mistake after another in a small tree; each must be found")
    if parser.parse_args().self_test:
        failures = list(run_self_test(rules, *self_test()))
        total = len(self_test()[1]) + 1
    else:
        tree = Tree()
        failures, total = [], len(rules)
        for rule in rules:
            hits = list(rule(tree))
            for hit in hits:
                print(hit)
            if hits:
                failures.append(rule)
    print(f"{total - len(failures)} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


def run_self_test(rules, good, planted):
    """Yields what went wrong. `good`: {file: text} of a tree without mistakes. `planted`: (what,
    {file: text or None to delete}, a part of the complaint that must come)."""
    def complaints(changes):
        with tempfile.TemporaryDirectory() as folder:
            for file, text in {**good, **changes}.items():
                if text is not None:
                    path = Path(folder, file)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text)
            tree = Tree(folder)
            return [hit for rule in rules for hit in rule(tree)]

    for hit in complaints({}):
        print(f"self-test: in a tree without mistakes: {hit}")
        yield "good"
        break
    for what, changes, wanted in planted:
        found = complaints(changes)
        if not any(wanted in hit for hit in found):
            print(f"self-test: not found: {what} (no complaint has {wanted!r}, only {found})")
            yield what
