"""Runs the code of a conversation: one process per language, which keeps its state.

interpreters  the processes of a conversation; the turn calls these
spares        started Python processes, shared by all conversations of a daemon
language      what a `Language` is, and what its running `Process` can do
languages/    one module per language, the only one that knows how to run it
process/      a worker process: starting it, talking to it, watching it, ending it
sandbox/      what code may write, read and reach, enforced by the system
limits        how long a block may run, and how much memory it may use
*_worker/     the programs that run inside the language processes
"""
