"""Models: any OpenAI-compatible server, hosted, local or embedded.

models        what is kept between turns; makes a `ChatModel` for each
chat          one reply: request, stream, chunks, usage, errors
asking        what is sent, and what is changed after a failure
endpoint      the server and model that a request goes to; `learned`, what it has taught us
dialects/     stored messages -> requests; deltas -> chunks, by calls or Markdown fences
window        the conversation that fits, counted by `tokens`
failures      what servers refuse, in words for a person
local/        models on this machine: servers found, files embedded
"""
