"""The daemon as a server of the Model Context Protocol: `oi-daemon --mcp`.

serve        entry point: serves one host until it is gone
adapter      the host's requests, in both revisions of the protocol
calls        the tools: what each call does
exchanges    questions to the person, as each revision asks them, and progress
questions    the forms of these questions, and how their answers are read
listings     the tools and their schemas
resources    transcripts of sessions
contents     what a call gives back
block_chunks the chunks of a block that runs, on their way to its call
shapes       the parameters of requests
"""
