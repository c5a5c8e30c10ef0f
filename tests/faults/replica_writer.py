"""A writer of alert-like rows and their feed: it writes down each id only when its commit was answered.

Arguments: the file that names where to write now, the file of acknowledged ids, the writer's number.
"""

import os
import sys
import time
from pathlib import Path
from uuid import uuid4

import psycopg


def main() -> None:
    """Write until killed; connect anew wherever the file says after each failure."""
    where, acknowledged, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    book = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        try:
            with psycopg.connect(where.read_text(), connect_timeout=2) as connection:
                while True:
                    write(connection, book, number)
        except psycopg.Error:
            time.sleep(0.02)


def write(connection: psycopg.Connection, book: int, number: int) -> None:
    """One alert in one transaction, its feed number last, as the desk does it."""
    alert = uuid4()
    # Each of two organizations has a feed of its own, so that writers meet at one lock.
    organization = number % 2
    connection.execute("INSERT INTO alert (id, organization) VALUES (%s, %s)", [alert, organization])
    connection.execute(
        "WITH next AS (UPDATE feed SET n = n + 1 WHERE organization = %s RETURNING n) "
        "INSERT INTO event (organization, n, alert) SELECT %s, n, %s FROM next",
        [organization, organization, alert],
    )
    connection.commit()
    os.write(book, f"{alert} {time.monotonic()}\n".encode())


if __name__ == "__main__":
    main()
