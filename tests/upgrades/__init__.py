"""The data that people have today opens in every later version.

Each folder that is named after a version holds what that version leaves behind: a database of
SQLite and one of PostgreSQL as a killed server leaves them, a backup and an archive. The tests
upgrade each of them and read it through the front door. `python -m tests.upgrades.make` makes the
folder of the version at hand. A folder is never changed afterwards.
"""
