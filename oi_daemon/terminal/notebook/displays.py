"""The displays below a cell, each of which can be replaced in place."""

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from oi_daemon.messages.written import Bundle

Publish: TypeAlias = Callable[[Bundle, str, bool], None]
"""Shows a bundle under a display id; with True, in place of the one that has this id."""

_EMPTY: Bundle = {"text/html": "", "text/plain": ""}
"""What a display holds whose bundle is gone: a display itself cannot be removed."""


class CellDisplays:
    """Keeps a row of displays in step with what is to be seen.

    The last one is the status, which says what is waited for. What follows takes its place, so that
    it is always at the bottom.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._ids: dict[str, str] = {}
        """Display id of each bundle, by the bundle's key."""
        self._shown: dict[str, Bundle] = {}
        """What each display shows, by its display id."""
        self._spare: str | None = None
        """The id of the last display, if it shows the status or nothing."""

    def draw(self, bundles: Mapping[str, Bundle], status: Bundle | None = None) -> None:
        """Show these bundles, in their order, and the status below them."""
        for key in self._ids.keys() - bundles.keys():
            self._replace(self._ids[key], _EMPTY)
        for key, bundle in bundles.items():
            if key not in self._ids:
                self._ids[key] = self._spare or self._add(bundle)
                self._spare = None
            self._replace(self._ids[key], bundle)
        if status is not None and self._spare is None:
            self._spare = self._add(status)
        elif self._spare is not None:
            self._replace(self._spare, status or _EMPTY)

    def settle(self) -> None:
        """What comes from now on stands below anything else that the cell has written since."""
        if self._spare is not None:
            self._replace(self._spare, _EMPTY)
            self._spare = None

    def _add(self, bundle: Bundle) -> str:
        """Show a bundle in a new display, at the bottom; returns its id."""
        display = os.urandom(16).hex()
        self._shown[display] = bundle
        self._publish(bundle, display, False)
        return display

    def _replace(self, display: str, bundle: Bundle) -> None:
        """Show a bundle in place of what this display shows."""
        if self._shown[display] != bundle:
            self._shown[display] = bundle
            self._publish(bundle, display, True)


def publish(bundle: Bundle, display: str, is_update: bool) -> None:
    """Show a bundle in the notebook, by its kernel."""
    from IPython.display import publish_display_data

    transient: dict[str, Any] = {"display_id": display}
    publish_display_data(dict(bundle), {}, transient=transient, update=is_update)
