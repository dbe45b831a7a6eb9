"""The protocol's promises under faults, one fault after another.

Each fault is tried a few times in `make test` and in full in `make chaos`; docs/faults.md lists
them. All randomness follows from the seed that pytest prints at the end; TALOS_CHAOS_SEED repeats
it.
"""
