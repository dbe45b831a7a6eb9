"""Report whether the tests can use the PostgreSQL server at this URL; exit with 1 if not."""

from __future__ import annotations

import sys

import psycopg

try:
    # The tests create their own database; `postgres` always exists.
    psycopg.connect(sys.argv[1], dbname="postgres", connect_timeout=30).close()
except psycopg.Error as error:
    reason = str(error).strip().splitlines()[0]
    print(f"PostgreSQL: not tested, TALOS_TEST_DATABASE_URL does not answer: {reason}")  # noqa: T201
    sys.exit(1)
print("PostgreSQL: tested after SQLite.")  # noqa: T201
