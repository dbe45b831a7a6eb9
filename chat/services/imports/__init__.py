"""Imports conversations from files, each completely or not at all, and runs the queue of uploads."""
