"""Daphne in this process, with limits. Only this room knows Daphne and Twisted, and their private parts."""
