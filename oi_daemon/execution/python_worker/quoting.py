"""Writes texts as JSON, without the module `json`: a user's own file may have taken its name."""

from __future__ import annotations

try:
    from _json import encode_basestring
except ImportError:  # another implementation of Python
    from json.encoder import py_encode_basestring as encode_basestring


quoted = encode_basestring
"""Returns a text as a string of JSON."""
