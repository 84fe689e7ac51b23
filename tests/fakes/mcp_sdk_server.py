"""A server made with the MCP library: `python -m tests.fakes.mcp_sdk_server [PORT]`."""

import sys

from mcp.server import MCPServer
from mcp.server.mcpserver import Image
from pydantic import BaseModel

from tests.fakes.mcp_server import PNG

app = MCPServer("sdk")


class Weather(BaseModel):
    """A structured result."""

    degrees: float
    words: str


@app.tool()
def weather(city: str, days: int = 1) -> Weather:
    """The weather of a city."""
    return Weather(degrees=days, words=f"dry in {city}")


@app.tool()
def fail(why: str) -> str:
    """Fails."""
    raise ValueError(why)


@app.tool()
def dot() -> Image:
    """A picture."""
    import base64

    return Image(data=base64.b64decode(PNG), format="png")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        app.run("streamable-http", port=int(sys.argv[1]))
    else:
        app.run()
