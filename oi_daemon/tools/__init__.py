"""The tools of MCP servers, for a conversation's model and its Python code.

toolbox      entry point: all servers of one conversation
server       one server: started at first need, once more if it has died
connection   requests to a server, and their answers
stdio, http  the two transports, which carry messages as bytes
shapes       the messages of the Model Context Protocol that are read
results      what a call has given, in the form in which code gets it
functions    a server's tools as functions in Python and of the model
"""
