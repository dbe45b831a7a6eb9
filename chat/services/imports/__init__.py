"""Imports: conversations out of files, all or nothing, and the uploads that wait to be imported."""
