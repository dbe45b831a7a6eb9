"""The demo model's texts, in Markdown. They never pretend that a model is thinking."""

from __future__ import annotations

GREETING = """\
Hello! I am the **scripted demo** of Talos: not a language model, just a few prepared answers \
that need no key and no network.

Talos is a chat with a large language model that you host yourself. Conversations stay on your \
machine, answers stream in as they are written, and the model can use tools after you approve.

To connect a real model, put one of these into the `.env` file beside `manage.py` and start Talos \
again:

- `OPENAI_API_KEY` for OpenAI
- `OPENAI_BASE_URL` for any OpenAI-compatible server, for example Ollama at \
`http://localhost:11434/v1`

Until then, try me:

| Say | and you see |
|---|---|
| `What time is it?` | a tool that runs at once |
| `What is 12*7?` | another one |
| `Write a note: buy milk` | a tool that asks for your approval |
| `Show me some code` | a code block |
| `Show me a table` | a table |
| `Think about it` | visible reasoning |
| `Count to 500` | a long answer, to try the stop button |
"""

CODE = """\
Here is a little Python, as a sample of a code block from the scripted demo:

```python
def fibonacci(count: int) -> list[int]:
    numbers = [0, 1]
    while len(numbers) < count:
        numbers.append(numbers[-1] + numbers[-2])
    return numbers[:count]


print(fibonacci(10))  # [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]
```

A real model would write what you asked for.
"""

TABLE = """\
A table from the scripted demo:

| Planet | Moons | Day |
|:---|---:|---:|
| Earth 🌍 | 1 | 24 h |
| Mars | 2 | 24.6 h |
| Jupiter | 95 | 9.9 h |
"""

_PARAGRAPH = """\
## Part {number}

This is paragraph {number} of a long text from the scripted demo. It says nothing in particular, \
and it says it word by word, so that you can watch it stream, scroll while it grows, stop it, \
reload the page in the middle, and find every word again. Grüße, 你好, здравствуй, 👋🏽.
"""
LONG = "# A long text\n\n" + "\n".join(_PARAGRAPH.format(number=n) for n in range(1, 21))

REASONING = "A demo does not think. It only shows where the thoughts of a real model would appear. "
AFTER_REASONING = "That was visible reasoning. It is kept apart from the answer, which is this."

REPERTOIRE: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"code", "python", "function"}), CODE),
    (frozenset({"table"}), TABLE),
    (frozenset({"long", "essay", "story"}), LONG),
    (frozenset({"hello", "hi", "help", "hey", "who", "talos", "connect"}), GREETING),
)
"""Keywords and answers; the first row with a keyword from the question applies."""

LEAD_TIME = "Let me look at the clock.\n\n"
LEAD_SUM = "Let me work that out.\n\n"
LEAD_NOTE = "I will write that down, if you allow it.\n\n"


def echo(asked: str) -> str:
    line = " ".join(asked.split())
    quoted = line if len(line) <= 200 else line[:200] + "…"
    return (
        f"You said:\n\n> {quoted}\n\n"
        "I am only the **scripted demo** of Talos and cannot think about that. "
        "Say `help` to see what I can show, and how to connect a real model."
    )


def no_tool(name: str) -> str:
    return f"I would use the tool `{name}` for that, but it is not offered to me here."


def after_tools(results: list[tuple[str, str]]) -> str:
    return "\n\n".join(_after_tool(name, content.strip()) for name, content in results)


def _after_tool(name: str, content: str) -> str:
    if "denied" in content.lower():
        return f"You did not allow `{name}`, so I left it alone."
    if name == "calculate" and len(content) <= 100:
        return f"The result is **{content}**."
    if "\n" in content or len(content) > 200:
        return f"`{name}` answered:\n\n````text\n{content[:4000]}\n````"
    return f"`{name}` answered: {content}"
