"""Makes the model that answers a turn, by the turn's settings."""

from collections.abc import Callable, Sequence

from oi_daemon.model.chat import ChatModel
from oi_daemon.model.local.servers import LocalModels
from oi_daemon.model.resources import DELAYS, Resources
from oi_daemon.settings import Settings


class Models:
    """The daemon's way to all models; what they share lasts until `close`."""

    def __init__(
        self,
        local: LocalModels | None = None,
        *,
        languages: Sequence[str],
        is_language: Callable[[str], bool],
        delays: Sequence[float] = DELAYS,
        read_timeout: float | None = None,
    ) -> None:
        """
        Args:
            languages: those that a model is told of.
            is_language: whether a word names a language, so that a fence with it is code.
            delays: see `Resources`; so is `read_timeout`.
        """
        self._resources = Resources(local, delays, read_timeout)
        self._languages = languages
        self._is_language = is_language

    @property
    def local(self) -> LocalModels:
        """The models on this machine."""
        return self._resources.local

    async def preload(self) -> None:
        """Load what the first turn needs, off the loop."""
        await self._resources.preload()

    def model(self, settings: Settings) -> ChatModel:
        """The model that these settings name."""
        return ChatModel(
            settings,
            self._resources,
            languages=self._languages,
            is_language=self._is_language,
        )

    async def close(self) -> None:
        await self._resources.close()
