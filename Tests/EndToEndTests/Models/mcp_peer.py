"""The official SDK of the Model Context Protocol, as a server (`serve PORT`) or as a client (`call URL KEY …`)."""

import asyncio
import json
import sys


def serve(port):
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("tickets")

    @server.tool()
    def find_ticket(number: int) -> str:
        """Finds a ticket."""
        return f"ticket {number}"

    @server.tool()
    def close_ticket(number: int) -> str:
        """Closes a ticket."""
        return f"closed {number}"

    @server.tool()
    async def slow_search(words: str) -> str:
        """Takes a moment."""
        await asyncio.sleep(0.05)
        return f"found {words}"

    @server.prompt()
    def reply(name: str) -> str:
        """Drafts a reply."""
        return f"Dear {name}"

    server.run("streamable-http", host="127.0.0.1", port=port)


async def call(url, key, mode):
    import httpx2
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    said = {}
    async with httpx2.AsyncClient(headers={"X-API-Key": key}) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            said["version"] = client.protocol_version
            said["tools"] = sorted(tool.name for tool in (await client.list_tools()).tools)
            for tool, arguments in [
                ("find_ticket", {"number": 7}),
                ("slow_search", {"words": "printer"}),
                ("close_ticket", {"number": 7}),
            ]:
                try:
                    result = await client.call_tool(tool, arguments)
                    said[tool] = result.content[0].text
                except Exception as error:  # noqa: BLE001: what is raised is what is looked at
                    said[tool] = f"{type(error).__name__}: {error}"
            said["prompt"] = (await client.get_prompt("reply", {"name": "Ann"})).messages[0].content.text
    print(json.dumps(said))


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
else:
    asyncio.run(call(*sys.argv[2:5]))
