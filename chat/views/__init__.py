"""The pages, their parts and the JSON interface: a file for each subject.

One URL serves a whole page, or over HTMX the part of it that changes. A form that changes something
also works without JavaScript. Rows are reached through their owner.
"""
