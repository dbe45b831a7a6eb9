"""The turn engine: what happens between a stored question and its `done`.

`engine` is the door: start, nudge, drain. `runner` takes turns, stops them, recovers them; `loop`
asks the model and its tools; `journal` commits what they say, then tells it; `rows` are the
transitions in the database; `history` turns rows into what a model reads.
"""
