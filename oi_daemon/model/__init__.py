"""Language models: any OpenAI-compatible server, hosted, local or embedded.

models          entry point: makes the model that answers a turn
server_model    one reply: asks, retries, streams the parts, reports usage and errors
request         what is asked, and how it changes after a failure
attempt         a request as it is sent, and what comes of it; `costs` says what it costs
backend         what every API of a server has in common; `chat` asks for chat completions and
                `responses` for responses, also in the `background`; `apis` says which is used
access          what all requests share: connections, local models, what servers can do
relay           models that clients offer, who are told what to ask and stream back
events          server-sent events from bytes; `buffered_stream` reads them ahead of the consumer
dialects/       stored messages -> requests; deltas -> parts of a reply
context_window  how many tokens fit; `trimming` selects the messages, `tokens` counts
provider        what a server needs back with its calls, kept with each block
failures        why a request failed
explanations    the error that a person then reads
local/          models on this machine: servers, model files, the download
"""
