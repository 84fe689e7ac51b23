"""Runs a conversation's code: one interpreter process a language, each keeping its state.

interpreters  a conversation's processes, one a language; what the turn calls
language      the seam for languages: what a `Language` is, and what its running `Process` can do
languages/    one module each, which alone knows how to run it
process/      a worker process: started, spoken to, watched, and ended with all it began
sandbox/      what code may write, read and reach, held by the system
limits        what a block may take
*_worker/     the programs that run inside of the interpreters' processes
"""
