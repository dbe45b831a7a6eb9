"""The data that people have today opens in every later version.

Each folder named after a version contains that version's data: an SQLite and a PostgreSQL database
as a killed server leaves them, a backup and an archive. The tests upgrade each and read it through
the public interfaces. `python -m tests.upgrades.make` creates the current version's folder. A folder
is never changed afterwards.
"""
