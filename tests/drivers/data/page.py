"""Types what a page of the documentation shows, and compares what is printed with what the page says.

    page.py HOST PORT PAGE [UNTIL]

Blocks marked `python` run one after the other in one interpreter, as a reader would type them; the `text` block behind
one is what it must print. A block marked `python WORD` is where the reader does something outside of Python first: with
WORD as UNTIL the program ends before it, and without UNTIL it is run like the others.

    page.py HOST PORT PAGE --update    writes what is printed into the page instead
"""

import contextlib
import io
import pathlib
import re
import sys

BLOCK = re.compile(r"^```python ?(\w*)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
HERE = 'Cluster(["127.0.0.1"]'


def run(page, host, port, until, update):
    """Runs the blocks; returns the page with what they printed."""
    names = {}
    text = page.read_text(encoding="utf-8")
    pieces, written = [], 0
    for block in BLOCK.finditer(text):
        word, code, wanted = block.groups()
        if until and word == until:
            break
        line = text.count("\n", 0, block.start()) + 2
        code = code.replace(HERE, f'Cluster(["{host}"], port={port}')
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), names)
        got = printed.getvalue()
        if wanted is None and got:
            sys.exit(f"{page}:{line}: prints what the page does not show:\n{got}")
        if wanted is not None:
            if not update and got != wanted:
                sys.exit(f"{page}:{line}: prints\n{got}where the page says\n{wanted}")
            pieces += [text[written:block.start(3)], got]
            written = block.end(3)
    return "".join(pieces) + text[written:]


def main():
    """Reads the arguments and the page."""
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    host, port, page = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    last = sys.argv[4] if len(sys.argv) == 5 else ""
    update = last == "--update"
    text = run(page, host, port, "" if update else last, update)
    if update:
        page.write_text(text, encoding="utf-8")
    print(f"{page.name}: as the page says")


if __name__ == "__main__":
    main()
