"""The protocol's promises under faults, one fault after another.

Each fault is tried a few times in `make test` and in full in `make chaos`; docs/faults.md lists
them. Whatever is random begins with the seed that pytest prints at the end, and TALOS_CHAOS_SEED
repeats it.
"""
