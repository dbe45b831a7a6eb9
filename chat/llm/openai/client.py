"""The client for any OpenAI-compatible server.

`asking.py` sends a request over the connections of `stream/connection.py`; `stream/reading.py` and
`stream/sse.py` read its answer. The SDK's own objects cost ten times as much per token, accept a
cut answer as complete, and raise bare JSON errors.
"""

from __future__ import annotations

import asyncio
from codecs import BOM_UTF8
from collections.abc import AsyncGenerator, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import urlsplit

from chat.errors import ModelError
from chat.llm.base import Request, StreamEvent
from chat.llm.demands import Demands
from chat.llm.failures import details, errors
from chat.llm.failures.details import Complaint
from chat.llm.failures.learned import Learned
from chat.llm.failures.redaction import Secrets
from chat.llm.openai.asking import OpenAIAsking
from chat.llm.openai.models import ListedModel, parse_models
from chat.llm.stream.chunks import Answer
from chat.llm.stream.connection import ServerConnection, connect
from chat.llm.stream.limits import Limits
from chat.llm.stream.reading import read_answer
from chat.llm.stream.sse import MAX_EVENT

__all__ = ["OPENAI_URL", "ListedModel", "OpenAIClient"]

OPENAI_URL = "https://api.openai.com/v1"
_LIMITS, _DEMANDS = Limits(), Demands()
_NO_LIST = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
_NO_KEY = "none"  # the SDK requires a key, local servers do not


class OpenAIClient:
    """One server. Connections are made on first use, shared by all turns, closed by `aclose`."""

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        *,
        limits: Limits = _LIMITS,
        demands: Demands = _DEMANDS,
        connect_limit: float = 5,
        pauses: Sequence[float] = (1, 2),
        names: errors.Names = errors.OPENAI,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`pauses`: seconds before the second attempt, the third, …; `headers` are sent in addition
        to the usual ones."""
        self.names = names
        self.base_url = base_url or OPENAI_URL
        self._api_key = api_key or _NO_KEY
        self._limits = limits
        self._connect_limit = connect_limit
        self._pauses = pauses
        self._headers = headers
        self._learned = Learned(demands)
        self._secrets = Secrets(self.base_url, api_key)
        self._connection: ServerConnection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loading = asyncio.Lock()

    def source(self, model: str) -> str:
        return f"{urlsplit(self.base_url).netloc.rpartition('@')[2]}/{model}"

    def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        source = self.source(request.model)
        asking = OpenAIAsking(request, source, self._learned, self._secrets)
        asked = asking.ask(
            self._connect, limits=self._limits, pauses=self._pauses, names=self.names
        )
        return read_answer(
            asked, Answer(self.names, source), names=self.names, secrets=self._secrets
        )

    async def list_models(
        self, *, limit: float = 10, may_be_missing: bool = True
    ) -> list[ListedModel]:
        """Return the models that `/models` lists, within `limit` seconds.

        If that address does not exist: an empty list if it `may_be_missing`, else a `ModelError`.
        Raises `ModelError` if the server cannot be asked, `ModelLoading` if only for now.
        """
        server = await self._connect()
        try:
            async with asyncio.timeout(limit):
                response, body = await server.get("models", MAX_EVENT)
        except TimeoutError:
            raise errors.unreachable(self.names, f"No answer within {limit:g} seconds") from None
        except Exception as error:  # broad: whatever the transport raises
            errors.log_failure(error)
            reason = self._secrets.redact(details.reason(error))
            raise errors.unreachable(self.names, reason) from None
        is_missing = response.status in _NO_LIST
        is_refused = response.status >= HTTPStatus.MULTIPLE_CHOICES
        # For other refusals the status says more than the page that a gateway sends.
        if (is_missing or not is_refused) and body.removeprefix(BOM_UTF8).lstrip()[:1] == b"<":
            raise errors.not_a_model_server(self.names)
        if is_missing and may_be_missing:
            return []
        if is_refused:
            raise self._refusal(details.read(response.status, body, response.headers))
        if len(body) > MAX_EVENT:
            raise errors.too_large()
        return parse_models(body)

    def _refusal(self, complaint: Complaint) -> ModelError:
        """Return the error for a refusal to list models."""
        problem = errors.of(complaint, self.names)
        if complaint.status in _NO_LIST:
            problem = errors.no_address(self.names, complaint.details)
        problem.details = self._secrets.redact(problem.details)
        errors.log_details(problem.details)
        return problem

    async def aclose(self) -> None:
        """Close the kept connections. The client can be used again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    async def _connect(self) -> ServerConnection:
        loop = asyncio.get_running_loop()
        async with self._loading:
            # A kept connection belongs to its loop; a test or command may bring another loop.
            if self._connection is None or self._loop is not loop:
                self._connection = await connect(
                    self.base_url, self._api_key, limit=self._connect_limit, headers=self._headers
                )
                self._loop = loop
            return self._connection
