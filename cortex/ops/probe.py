"""`python -m cortex.ops.probe URL`: exit status 0 when the page answers 200; for containers."""

import sys
import urllib.request

LOCAL = "http://127.0.0.1"


def main() -> int:
    """Ask the one address on this machine that was given."""
    if len(sys.argv) != 2 or not sys.argv[1].startswith(LOCAL):
        return 2
    request = urllib.request.Request(sys.argv[1], headers={"Host": "localhost"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
            return 0 if answer.status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
