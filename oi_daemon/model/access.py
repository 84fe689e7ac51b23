"""Access to model servers: what all requests share, from one turn to the next."""

from collections.abc import Sequence
from dataclasses import replace

from oi_daemon import keys
from oi_daemon.errors import AuthError, NoModelError
from oi_daemon.model.capabilities import Capabilities
from oi_daemon.model.connections import Connections, validated
from oi_daemon.model.context_window import window_by_name
from oi_daemon.model.endpoint import Endpoint, configured_endpoint
from oi_daemon.model.explanations import KEY_MISSING
from oi_daemon.model.local.embedded import OnLoad
from oi_daemon.model.local.servers import LocalModels
from oi_daemon.model.prices import OPENAI
from oi_daemon.model.reasoning import answers_at_once, thinks_for_long
from oi_daemon.model.relay import gone, is_offered_name
from oi_daemon.settings import Settings, json_object

RETRY_DELAYS = (0.5, 1.0, 2.0)
"""Seconds to wait before the first, second and third retry of a request."""
READ_TIMEOUT = 60.0
"""Seconds without a byte after which a request to a hosted model that does not think is given up.

A comment that only keeps the connection alive counts as bytes.
"""
SLOW_READ_TIMEOUT = 300.0
"""As `READ_TIMEOUT`, for all other models: they may think first, and local ones are slow."""
LONGEST_READ_TIMEOUT = 1800.0
"""As `READ_TIMEOUT`, for models that are known to think for many minutes."""


class ServerAccess:
    """Owns the connections, the local models, and what is known about each server."""

    def __init__(
        self,
        local: LocalModels | None = None,
        retry_delays: Sequence[float] = RETRY_DELAYS,
        read_timeout: float | None = None,
    ) -> None:
        """
        Args:
            retry_delays: seconds to wait before each retry of a request; as many retries are made.
            read_timeout: replaces `READ_TIMEOUT` and `SLOW_READ_TIMEOUT`.
        """
        self.local = local or LocalModels()
        self.connections = Connections()
        self.retry_delays = tuple(retry_delays)
        self._read_timeout = read_timeout
        self._capabilities: dict[tuple[str, str], Capabilities] = {}

    async def preload(self) -> None:
        """Import and create, in a thread, what the first request needs."""
        await self.connections.preload()

    async def endpoint(self, settings: Settings, on_load: OnLoad | None = None) -> Endpoint:
        """Return the server that these settings name. A server of our own is ready to answer then.

        Args:
            on_load: called with a model's name before a server of our own loads it.

        Raises:
            ModelError: the settings name no model; the text lists what the person can do.
        """
        endpoint = await self.local.resolve(settings, on_load) or validated(_hosted(settings))
        await self.preload()
        keys.add_secrets(endpoint.headers)
        body = json_object(settings.extra_body)
        return replace(endpoint, extra_body={**endpoint.extra_body, **body}) if body else endpoint

    async def learn_window(self, settings: Settings, endpoint: Endpoint) -> None:
        """Ask the server once for the model's context window, if it is not known otherwise."""
        capabilities = self.capabilities(endpoint)
        is_known = settings.context_window or endpoint.context_window or endpoint.relay
        if is_known or capabilities.listed_window is not None:
            return
        capabilities.listed_window = 0
        if window_by_name(endpoint.model) is None:
            capabilities.listed_window = await self.connections.listed_window(endpoint)

    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        """Return what is known about this model; the same object each time, to be updated."""
        key = (endpoint.api_base, endpoint.model)
        return self._capabilities.setdefault(key, Capabilities())

    def read_timeout(self, settings: Settings, endpoint: Endpoint) -> float:
        """Return the seconds without a byte after which a request is given up."""
        if self._read_timeout is not None:
            return self._read_timeout
        if settings.reasoning_effort in ("xhigh", "max") or thinks_for_long(endpoint.model):
            return LONGEST_READ_TIMEOUT
        quick = answers_at_once(endpoint.model) and not settings.local and not endpoint.is_small
        return READ_TIMEOUT if quick else SLOW_READ_TIMEOUT

    async def close(self) -> None:
        """Close all connections and end all embedded models."""
        await self.connections.close()
        await self.local.close()


def _hosted(settings: Settings) -> Endpoint:
    """Return the endpoint of `api_base`, or OpenAI's.

    Raises:
        NoModelError: it is the model of a client that is not connected.
        AuthError: neither a server nor a key is set.
    """
    if is_offered_name(settings.model):
        raise NoModelError(gone(settings.model))
    if settings.api_key is None and settings.api_base is None:
        raise AuthError(KEY_MISSING)
    return configured_endpoint(settings, settings.api_base or OPENAI, settings.model)
