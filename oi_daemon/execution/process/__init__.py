"""A worker process of any language: starting it, talking to it, watching it, ending it."""
