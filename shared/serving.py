"""How our HTTP servers are run, where those who ask them must know it."""

KEEP_ALIVE_SECONDS = 75
"""How long a server keeps an idle connection (`uvicorn --timeout-keep-alive`): longer than any client
or proxy of ours does, so that it is never the server that closes while a request is being sent."""
