"""Deleting old conversations: which ones (`rules`), in short batches (`batches`), returning their space
(`space`), and automatically once a day (`retention`).

All deletions go through `services.remove`, so that open pages are told.
"""
