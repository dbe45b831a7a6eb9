"""The catalogue of models, and the routing of ids to servers.

An id goes to the first of these that has it:

1. the configured OpenAI-compatible server, if it lists the id;
2. `demo`;
3. a server on this machine: `ollama/name`, `lm_studio/name`;
4. a provider that LiteLLM knows and whose key is set: `provider/name`, a name in LiteLLM's list, or
   a name with a prefix that only that provider uses (`claude…`, `gemini-…`);
5. the configured server, if it lists nothing: it gets any other id.

So a key that is set is used, and a missing key never keeps an id from a server that takes anything.
The lists are kept and renewed in the background. Callers wait only on first use (up to 3 s), or
when choosing a default. `demo` is the default only if nothing else is configured.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from difflib import get_close_matches
from typing import Any

from chat.errors import ModelError, UnknownModel
from chat.llm.catalogue import configuration, menu, routing
from chat.llm.catalogue.configuration import SERVER, Configuration
from chat.llm.catalogue.configured import ConfiguredServer, configured_server
from chat.llm.catalogue.local_servers import LocalServer, local_servers
from chat.llm.catalogue.menu import Model
from chat.llm.catalogue.purpose import is_for_chat
from chat.llm.catalogue.resolved import Resolved
from chat.llm.catalogue.routing import Clients
from chat.llm.catalogue.sources import DEMO, Sources
from chat.llm.failures.errors import OPENAI, Names
from chat.llm.openai.models import MAX_ID
from chat.llm.stream.limits import Limits

__all__ = ["DEMO", "Catalogue", "Model", "Resolved", "build", "get_catalogue", "replace"]

DEMO_NAME = "Scripted demo"
_LIMITS = Limits()


class Catalogue:
    """All models that this process can reach: see `get_catalogue`."""

    def __init__(
        self,
        server: ConfiguredServer | None = None,
        *,
        default_model: str | None = None,
        variables: Mapping[str, str] | None = None,
        local: Sequence[LocalServer] = (),
        names: Mapping[str, Names] | None = None,
        limits: Limits = _LIMITS,
    ) -> None:
        """`variables` and `names` are as in `Configuration`."""
        self._sources = Sources(server, local, Clients(variables or {}, names or {}, limits))
        self._default_model = default_model
        self._uses = 0
        self._is_retired = False

    async def offer(self) -> dict[str, Any]:
        """Return the menu as `GET /api/models` sends it."""
        rows = [
            {"id": m.id, "name": m.name, "provider": m.provider, "available": m.available}
            | ({"reason": m.reason} if m.reason else {})
            for m in await self.models()
        ]
        return {"models": rows, "current": await self.default()}

    async def models(self) -> list[Model]:
        """Return the menu: usable models, best first, then those that a key would add.

        A configured server is listed even if it cannot be reached: see `Model.reason`.
        """
        sources = self._sources
        await sources.refresh()
        rows = [*sources.known(self._named), *sources.stand_ins(self._named)]
        rows.append(Model(DEMO, DEMO_NAME, "talos"))
        rows += menu.without_key(sources.variables, has_server=sources.server is not None)
        unique: dict[str, Model] = {}
        for row in rows:
            unique.setdefault(row.id, row)
        return list(unique.values())

    async def default(self) -> str:
        """Return the default model from the settings, or the first one known.

        Empty while it depends on a server that cannot be reached; `resolve` asks that server again.
        """
        if self._default_model:
            return self._default_model
        sources = self._sources
        await sources.refresh()
        if sources.server is not None and sources.server.is_unsettled:
            return ""
        for model in sources.known(self._named):
            if is_for_chat(model.id):
                return model.id
        only = next(sources.known(self._named), None)
        return only.id if only else "" if sources.is_configured else DEMO

    async def misnamed_default(self) -> str | None:
        """Return what is wrong with the default model's name.

        None if nothing is, or if its server cannot be reached.
        """
        wanted = self._default_model
        if not wanted:
            return None
        await self._sources.wait_for_lists()
        try:
            await self.resolve(None)
        except ModelError:
            return None
        except UnknownModel as error:
            if self._sources.problem:  # its server may have it
                return None
            ids = [model.id for model in await self.models() if model.available]
            near = get_close_matches(wanted, ids, 1, cutoff=0.5)
            return f"{error.message} Did you mean {near[0]}?" if near else error.message
        return None

    async def resolve(self, model_id: str | None) -> Resolved:
        """Return the client for a model, or for the default one.

        Raises `UnknownModel`; also `ModelError` (or `ModelLoading`) if the default model is
        unknown because its server cannot be reached.
        """
        wanted = model_id or await self._settle_default()
        if len(wanted) > MAX_ID:
            raise self._unknown(wanted, is_default=not model_id)
        await self._sources.refresh(wanted)
        found = self._sources.find(wanted)
        if found is None:
            raise self._unknown(wanted, is_default=not model_id)
        return found

    @property
    def is_waiting(self) -> bool:
        """Whether an expected server has not listed its models yet."""
        return self._sources.problem is not None

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[Catalogue]:
        """Keep the connections open until a stream ends, even if the catalogue is replaced."""
        self._uses += 1
        try:
            yield self
        finally:
            self._uses -= 1
            if self._is_retired and not self._uses:
                await self.aclose()

    async def retire(self) -> None:
        """Close the catalogue once nothing holds it any longer."""
        self._is_retired = True
        if not self._uses:
            await self.aclose()

    async def aclose(self) -> None:
        """Stop background work and close the connections."""
        await self._sources.aclose()

    @property
    def _named(self) -> str | None:
        """The default model, if only the configured server can have it."""
        named = self._default_model
        return named if named and named != DEMO and not self._sources.provider_of(named) else None

    async def _settle_default(self) -> str:
        """Return the default, after waiting for the lists that it depends on.

        When answering, wait for the configured server's list; a fallback could otherwise win.
        """
        if not self._default_model:
            await self._sources.wait_for_lists()
        if wanted := await self.default():
            return wanted
        if problem := self._sources.problem:
            raise problem.with_traceback(None)
        raise UnknownModel("No model is chosen. Choose one, or name one in TALOS_DEFAULT_MODEL.")

    def _unknown(self, wanted: str, *, is_default: bool) -> UnknownModel:
        name = repr(wanted[:100])
        if route := routing.route(wanted):
            key = route.provider.keys[0]
            how = f"Connect its provider under Settings, or set {key}."
            return UnknownModel(f"The model {name} needs a key. {how}")
        if is_default:
            problem = f"TALOS_DEFAULT_MODEL names {name}, which nothing here offers."
        else:
            problem = f"There is no model {name}."
        if self._sources.server is not None:
            return UnknownModel(f"{problem} Choose one of those that /models lists.")
        return UnknownModel(
            f"{problem} To use models beyond the demo, connect a provider under Settings, or set "
            "OPENAI_API_KEY or OPENAI_BASE_URL, or another provider's key."
        )


def build(
    url: str | None,
    key: str | None,
    variables: Mapping[str, str],
    *,
    names: Mapping[str, Names] | None = None,
    default_model: str | None = None,
    detect_local: bool = False,
    limits: Limits = _LIMITS,
) -> Catalogue:
    """Build a catalogue from a configured server, providers, and the servers on this machine:
    those named in `variables` and, with `detect_local`, those found running.
    """
    names = names or {}
    local = local_servers(variables, names, besides=url, limits=limits)
    return Catalogue(
        configured_server(url, key, limits, names.get(SERVER, OPENAI)),
        default_model=default_model,
        variables=variables,
        names=names,
        local=[server for server in local if detect_local or server.is_set],
        limits=limits,
    )


def from_settings(found: Configuration) -> Catalogue:
    """Build a catalogue of the configured providers, with limits and default from settings."""
    from django.conf import settings

    return build(
        found.url,
        found.key,
        found.variables,
        names=found.names,
        default_model=settings.TALOS_DEFAULT_MODEL,
        detect_local=settings.TALOS_LOCAL_MODELS,
        limits=Limits(settings.TALOS_SILENCE_SECONDS, settings.TALOS_FIRST_TOKEN_SECONDS),
    )


_catalogue: Catalogue | None = None


def get_catalogue() -> Catalogue:
    """Return the process's catalogue, built from the settings on first use."""
    global _catalogue
    if _catalogue is None:
        _catalogue = from_settings(configuration.from_settings())
    return _catalogue


async def replace(catalogue: Catalogue) -> None:
    """Replace the process's catalogue. The old one is closed once its last stream has ended.

    Call it on the event loop that runs the turns.
    """
    global _catalogue
    before, _catalogue = _catalogue, catalogue
    if before is not None and before is not catalogue:
        await before.retire()
