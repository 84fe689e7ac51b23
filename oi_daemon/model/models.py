"""Makes the model that answers a turn, by the turn's settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from oi_daemon.errors import ModelError
from oi_daemon.model.access import RETRY_DELAYS, ServerAccess
from oi_daemon.model.environment import Environment, plain_environment
from oi_daemon.model.local.servers import LocalModels
from oi_daemon.model.relay import Offers, Relay, is_offered_name
from oi_daemon.model.server_model import ServerModel
from oi_daemon.settings import Settings, change


@dataclass(frozen=True, slots=True)
class ServerOffer:
    """The models that a server lists."""

    api_base: str
    models: Sequence[str]
    """Names of the models that can chat, the best ones first."""


class Models:
    """The daemon's entry point to all models. Call `close` at its end."""

    def __init__(
        self,
        local: LocalModels | None = None,
        *,
        languages: Sequence[str],
        is_language: Callable[[str], bool],
        retry_delays: Sequence[float] = RETRY_DELAYS,
        read_timeout: float | None = None,
        offers: Offers | None = None,
    ) -> None:
        """
        Args:
            languages: names of the languages that are offered to a model.
            is_language: returns whether a word is a language's name or alias, so that a fence
                with this word is code to run.
            retry_delays: see `ServerAccess`.
            read_timeout: see `ServerAccess`.
            offers: the models of the daemon's clients.
        """
        self._offers = offers or Offers()
        self._access = ServerAccess(local, retry_delays, read_timeout)
        self._languages = languages
        self._is_language = is_language

    @property
    def local(self) -> LocalModels:
        """The models on this machine."""
        return self._access.local

    async def preload(self) -> None:
        """Import and create, in a thread, what the first turn needs."""
        await self._access.preload()

    def model(
        self,
        settings: Settings,
        environment: Environment | None = None,
        own: Relay | None = None,
    ) -> ServerModel:
        """Return the model that these settings name.

        Args:
            environment: what the model is told about the machine; None for the least.
            own: the models of the client that asks, which come before those of other clients.
        """
        return ServerModel(
            settings,
            self._access,
            environment=environment or plain_environment(settings),
            languages=self._languages,
            is_language=self._is_language,
            offered=self._offers.endpoint(settings.model, own),
        )

    async def offered(self, settings: Settings) -> ServerOffer | None:
        """Return the models of the server that these settings name, the best for chat first.

        None for a model on this machine, and where there is no server, key or list.
        """
        if is_offered_name(settings.model):
            settings = change(settings, {"model": Settings().model})
        if settings.local or settings.model.endswith(".gguf"):
            return None
        try:
            endpoint = await self._access.endpoint(settings)
        except ModelError:
            return None
        names = await self._access.connections.model_names(endpoint)
        return ServerOffer(endpoint.api_base, names) if names else None

    async def close(self) -> None:
        """Close all connections and end all embedded models."""
        await self._access.close()
