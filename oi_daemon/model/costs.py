"""What the requests of a turn cost: in advance, and once the server has answered."""

import asyncio
import logging
import time

from oi_daemon.messages.usage import Quote, Usage
from oi_daemon.model.access import ServerAccess
from oi_daemon.model.attempt import Attempt
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.prices import TokenCounts, predecessor, price
from oi_daemon.model.tokens import tokenizer
from oi_daemon.settings import Settings

logger = logging.getLogger(__package__)


class Costs:
    """Computes what requests with these settings cost."""

    def __init__(self, settings: Settings, access: ServerAccess) -> None:
        self._settings = settings
        self._access = access

    async def quote(self, attempt: Attempt) -> Quote:
        """Return what a request costs that is about to be sent."""
        settings, endpoint = self._settings, attempt.endpoint
        tier = settings.service_tier
        if self._price(TokenCounts(1, 1), endpoint)[0] is None:
            return Quote(endpoint.model, None)
        count = tokenizer(endpoint.model).count
        counted = await asyncio.to_thread(count, attempt.conversation())
        attempt.counted = counted + attempt.picture_tokens()
        overhead = self._access.capabilities(endpoint).overhead_tokens
        if len(attempt.content.messages) == 1:  # no answer has taught us the overhead yet
            instructions = await asyncio.to_thread(count, attempt.content.system)
            overhead = max(overhead, instructions)
        tokens = attempt.counted + overhead
        most = None
        if settings.max_tokens is not None:
            counts = TokenCounts(tokens, settings.max_tokens, service_tier=tier)
            most, _ = self._price(counts, endpoint)
        cost, _ = self._price(TokenCounts(tokens, 0, service_tier=tier), endpoint)
        return Quote(endpoint.model, cost, most)

    def usage(self, attempt: Attempt) -> Usage:
        """Return what a request has used: as the server counted it, or else an estimate."""
        endpoint, reader = attempt.endpoint, attempt.reader
        counts = reader.counts
        if counts and attempt.counted is not None:
            overhead = max(0, counts.input_tokens - attempt.counted)
            self._access.capabilities(endpoint).overhead_tokens = overhead
        counts = counts or TokenCounts(attempt.estimate(), (reader.written + 3) // 4)
        usage = Usage(counts.input_tokens, counts.output_tokens, *self._price(counts, endpoint))
        seconds = time.monotonic() - attempt.started
        logger.debug("reply: %s, %s, %.3f s", usage, counts, seconds)
        return usage

    def _price(self, counts: TokenCounts, endpoint: Endpoint) -> tuple[float | None, bool]:
        """Return US dollars (None: the price is not known), and whether they are only about right.

        A model on this machine is free. An unknown version costs about what the one before it does.
        """
        if self._settings.local or endpoint.is_small:
            return 0.0, False
        known = price(counts, endpoint.model, endpoint.api_base)
        if known is not None:
            return known, False
        earlier = predecessor(endpoint.model)
        about = price(counts, earlier, endpoint.api_base) if earlier else None
        return about, about is not None
