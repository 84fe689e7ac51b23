"""What all requests to models share, from one turn to the next."""

from collections.abc import Sequence

from oi_daemon.errors import AuthError
from oi_daemon.model.asking import thinks_first
from oi_daemon.model.connections import Connections, checked
from oi_daemon.model.endpoint import NO_KEY, Endpoint
from oi_daemon.model.failures import KEY_MISSING
from oi_daemon.model.learned import Learned
from oi_daemon.model.local.servers import LocalModels
from oi_daemon.model.prices import OPENAI
from oi_daemon.settings import Settings

DELAYS = (0.5, 1.0, 2.0)
"""Seconds before each further try of a request."""
READ_TIMEOUT = 60.0
"""Seconds without a byte after which a server is given up."""
PATIENCE = 300.0
"""The same where silence is usual: a model that thinks first, or one on the user's machine."""


class Resources:
    """Owns the connections, the embedded models, and what servers have taught."""

    def __init__(
        self,
        local: LocalModels | None = None,
        delays: Sequence[float] = DELAYS,
        read_timeout: float | None = None,
    ) -> None:
        """
        Args:
            delays: seconds before each further try of a request.
            read_timeout: in place of `READ_TIMEOUT` and `PATIENCE`.
        """
        self.local = local or LocalModels()
        self.connections = Connections()
        self.delays = tuple(delays)
        self._read_timeout = read_timeout
        self._learned: dict[tuple[str, str], Learned] = {}

    async def preload(self) -> None:
        """Load what the first request needs, off the loop."""
        await self.connections.preload()

    async def endpoint(self, settings: Settings) -> Endpoint:
        """Where these settings lead, ready to be asked.

        Raises:
            ModelError: nowhere; the text lists the ways on.
        """
        endpoint = await self.local.resolve(settings) or checked(_hosted(settings))
        await self.preload()
        return endpoint

    def learned(self, endpoint: Endpoint) -> Learned:
        return self._learned.setdefault((endpoint.api_base, endpoint.model), Learned())

    def patience(self, settings: Settings, endpoint: Endpoint) -> float:
        """Seconds without a byte after which this server is given up."""
        if self._read_timeout is not None:
            return self._read_timeout
        slow = settings.local or endpoint.compact or thinks_first(endpoint.model)
        return PATIENCE if slow else READ_TIMEOUT

    async def close(self) -> None:
        await self.connections.close()
        await self.local.close()


def _hosted(settings: Settings) -> Endpoint:
    if settings.api_key is None and settings.api_base is None:
        raise AuthError(KEY_MISSING)
    return Endpoint(
        api_base=settings.api_base or OPENAI,
        api_key=(settings.api_key or NO_KEY).strip(),
        model=settings.model,
    )
