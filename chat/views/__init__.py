"""The pages, their parts and the JSON interface: one file per subject.

A URL serves a whole page, or over HTMX only the part that changes. Every form that changes something
also works without JavaScript. Rows are reached through their owner.
"""
