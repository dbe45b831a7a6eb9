"""Old conversations go: which ones (`rules`), in short batches (`batches`), the space they took
(`space`), and by themselves once a day (`retention`).

Nothing here deletes a row by itself: each conversation goes through `services.remove`, so that
every open page hears of it.
"""
