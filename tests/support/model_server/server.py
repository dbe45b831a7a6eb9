"""The HTTP server: its routes, the queue of replies per model, and a record of every request."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Self

from aiohttp import web

from tests.support.model_server import anthropic_format, gemini_format, openai_format
from tests.support.model_server.anthropic_format import AnthropicFormat
from tests.support.model_server.formats import Asked, Format
from tests.support.model_server.gemini_format import GeminiFormat
from tests.support.model_server.openai_format import OpenAIFormat
from tests.support.model_server.reply import Reply, http_response
from tests.support.model_server.steps import Status, Step

TITLE_REQUEST = "Write a title"  # the beginning of a title request's system message


class Recorded:
    """One request as received, and the state of its reply."""

    def __init__(self, body: dict[str, Any], asked: Asked, http: web.Request) -> None:
        self.body = body
        self.asked = asked
        self.headers = dict(http.headers)
        self.peer = http.transport.get_extra_info("peername") if http.transport else None
        """The client's address: the same for requests that share a connection."""
        self.sent = 0
        """Events written so far."""
        self._closed: Future[float] = Future()

    @property
    def is_for_title(self) -> bool:
        return self.asked.system.startswith(TITLE_REQUEST)

    @property
    def is_closed(self) -> bool:
        """Whether the client left before the end of the reply."""
        return self._closed.done()

    async def closed(self, timeout: float = 30) -> float:  # noqa: ASYNC109  # reads best at the call
        """Wait until the client leaves; return `time.monotonic`. TimeoutError if it stays."""
        async with asyncio.timeout(timeout):
            return await asyncio.shield(asyncio.wrap_future(self._closed))

    def client_left(self) -> None:
        if not self._closed.done():
            self._closed.set_result(time.monotonic())


class ModelServer:
    """A model server, started and stopped by `with`, in tests with and without a loop."""

    def __init__(self, *, port: int = 0, models: Iterable[str | dict[str, Any]] = ()) -> None:
        self._port = port
        self.reset(models)
        self._arrival = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready: Future[int] = Future()
        self._stop = asyncio.Event()

    def reset(self, models: Iterable[str | dict[str, Any]] = ()) -> None:
        """Forget all scripts and requests."""
        self.models = list(models)
        """The entries of `/v1/models`: ids or whole objects. If empty, the route answers 404."""
        self.listing: Status | None = None
        """The answer of `/v1/models` instead of a list."""
        self.key: str | None = None
        """The key required for the list, with an error otherwise; None if none is required."""
        self.listed_for: list[dict[str, str]] = []
        """The headers of each request for the list."""
        self.title = "A scripted title"
        self.titles: dict[str, tuple[Step, ...]] = {}
        """Replies to title requests by model, instead of `title`."""
        self.rules: dict[str, Callable[[dict[str, Any]], Iterable[Step]]] = {}
        """Functions from a request's body to a reply, for models without a script."""
        self.default: tuple[Step, ...] | None = None
        """The reply of a model without a script or rule; None for an echo."""
        self.requests: list[Recorded] = []
        """All completion requests except those for a title."""
        self.title_requests: list[Recorded] = []
        self._scripts: defaultdict[str, deque[tuple[tuple[Step, ...], bool]]] = defaultdict(deque)

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def script(self, model: str, *steps: Step, bytewise: bool = False) -> None:
        """Queue one reply of this model. `bytewise` cuts it after every byte."""
        self._scripts[model].append((steps, bytewise))

    def request(self, number: int = 1, timeout: float = 30) -> Recorded:
        """Wait for the n-th request and return it."""
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self.requests) >= number, timeout):
                raise TimeoutError(f"only {len(self.requests)} requests came")
            return self.requests[number - 1]

    async def arequest(self, number: int = 1, timeout: float = 30) -> Recorded:  # noqa: ASYNC109  # as above
        return await asyncio.to_thread(self.request, number, timeout)

    def title_request(self, model: str, timeout: float = 30) -> Recorded:
        """Wait for this model's first title request and return it."""
        with self._arrival:
            found = self._arrival.wait_for(
                lambda: [r for r in self.title_requests if r.asked.model == model], timeout
            )
        if not found:
            raise TimeoutError("no title was asked for")
        return found[0]

    def __enter__(self) -> Self:
        self._thread.start()
        self._port = self._ready.result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._openai)
        app.router.add_post("/v1/messages", self._anthropic)
        app.router.add_post("/v1beta/models/{model}:streamGenerateContent", self._gemini)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1beta/openai/models", self._models)
        # handler_cancellation: a reply is cancelled as soon as its client leaves.
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
            self._ready.set_result(runner.addresses[0][1])
            await self._stop.wait()
        except OSError as error:
            self._ready.set_exception(error)
        finally:
            await runner.cleanup()

    async def _models(self, http: web.Request) -> web.Response:
        self.listed_for.append(dict(http.headers))
        given = http.headers.get("x-api-key") or http.headers.get("Authorization") or ""
        if self.key is not None and given.removeprefix("Bearer ") != self.key:
            error = {"message": f"Incorrect API key provided: {given}", "code": "invalid_api_key"}
            return web.json_response({"error": error}, status=401)
        if self.listing is not None:
            return http_response(self.listing)
        if not self.models:
            raise web.HTTPNotFound
        entries = [{"id": m, "object": "model"} if isinstance(m, str) else m for m in self.models]
        return web.json_response({"object": "list", "data": entries})

    async def _openai(self, http: web.Request) -> web.StreamResponse:
        body = await http.json()
        asked = openai_format.asked(body, body["model"])
        return await self._answer(http, body, asked, OpenAIFormat(body))

    async def _anthropic(self, http: web.Request) -> web.StreamResponse:
        body = await http.json()
        asked = anthropic_format.asked(body, body["model"])
        return await self._answer(http, body, asked, AnthropicFormat(body))

    async def _gemini(self, http: web.Request) -> web.StreamResponse:
        body = await http.json()
        asked = gemini_format.asked(body, http.match_info["model"])
        return await self._answer(http, body, asked, GeminiFormat(body))

    async def _answer(
        self, http: web.Request, body: dict[str, Any], asked: Asked, form: Format
    ) -> web.StreamResponse:
        recorded = Recorded(body, asked, http)
        self._record(recorded)
        steps, bytewise = self._reply(recorded)
        reply = Reply(http, recorded, form, bytewise=bytewise)
        try:
            return await reply.play(steps)
        except asyncio.CancelledError:
            recorded.client_left()
            raise
        except ConnectionError:  # caught here because aiohttp would log the client's address
            recorded.client_left()
            return reply.response

    def _record(self, recorded: Recorded) -> None:
        with self._arrival:
            (self.title_requests if recorded.is_for_title else self.requests).append(recorded)
            self._arrival.notify_all()

    def _reply(self, recorded: Recorded) -> tuple[tuple[Step, ...], bool]:
        if recorded.is_for_title:
            return self.titles.get(recorded.asked.model, (self.title,)), False
        if queue := self._scripts[recorded.asked.model]:
            return queue.popleft()
        if rule := self.rules.get(recorded.asked.model):
            return tuple(rule(recorded.body)), False
        if self.default is not None:
            return self.default, False
        said = recorded.asked.last
        return ("You said nothing." if said is None else f"You said: {said}",), False
