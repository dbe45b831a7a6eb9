"""The turn engine: everything between a stored question and its `done`.

`engine` is the entrance: start, nudge, drain. `runner` takes, stops and recovers turns; `loop` asks
the model and runs its tools; `journal` commits their output, then sends it; `transitions` changes a
turn's row; `exchanges` and `context` turn rows into what a model reads.
"""
