"""A process that keeps answers about the bureau's findings and delivers them, to be killed: URL, folder, first, count.

It says the number of each answer on standard output once it is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.relay.relays import answer, call, relay


def main() -> None:
    """Keep them one after another, then go on delivering until killed or told to end (a line on standard input)."""
    url, folder, first, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    with relay(folder, url) as here:
        for number in range(first, first + count):
            body = answer((f"B-{number}", "2"), msgid=str(number))
            if not here.do(here.relay.feed_back([f"B-{number}"], call("3103", body))):
                sys.stdout.write(f"{number}\n")
                sys.stdout.flush()
        sys.stdin.readline()


if __name__ == "__main__":
    main()
