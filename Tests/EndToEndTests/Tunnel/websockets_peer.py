"""Talks WebSocket through the gateway with the package `websockets` on both sides.

A server listens on PORT_OF_TARGET; clients reach it by the gateway on PORT, under TLS where its authority is named. Exits 0 when all was as it should be.
"""

import asyncio
import functools
import ssl
import sys

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

# Of the gateway's certificate; without it, the gateway is spoken to in the clear.
AUTHORITY = sys.argv[3] if len(sys.argv) > 3 else None


async def talk(socket):
    path = socket.request.path
    if path == "/refuse-me":
        return
    if path == "/leave":
        await socket.close(4321, "done")
        return
    async for message in socket:
        await socket.send(message)


def refuse(connection, request):
    if request.path == "/refuse-me":
        return connection.respond(401, "no\n")
    return None


async def converse(url, compression):
    async with connect(url + "/chat", subprotocols=["b", "a"], compression=compression) as socket:
        assert socket.subprotocol == "a", socket.subprotocol
        for message in ["", "text", "ü" * 70_000, b"\x00\xff" * 100_000, b"x"]:
            await socket.send(message)
            assert await socket.recv() == message
        await (await socket.ping(b"are you there"))
        await socket.send(["in ", "three ", "fragments"])
        assert await socket.recv() == "in three fragments"
        await socket.close(4000, "bye")
        assert socket.close_code == 4000


async def check(gateway, target):
    url = f"wss://localhost:{gateway}" if AUTHORITY else f"ws://127.0.0.1:{gateway}"
    async with serve(talk, "127.0.0.1", target, subprotocols=["a"], process_request=refuse, max_size=None):
        await converse(url, None)
        await converse(url, "deflate")
        async with connect(url + "/leave", subprotocols=["a"]) as socket:
            try:
                await socket.recv()
                raise AssertionError("the server was to leave")
            except websockets.exceptions.ConnectionClosedError as closed:
                assert closed.rcvd.code == 4321, closed
        try:
            async with connect(url + "/refuse-me", subprotocols=["a"]):
                raise AssertionError("the server was to refuse")
        except websockets.exceptions.InvalidStatus as refused:
            assert refused.response.status_code == 401, refused

        async def many(number):
            async with connect(url + f"/many/{number}", subprotocols=["a"]) as socket:
                for turn in range(20):
                    await socket.send(f"{number} {turn}")
                    assert await socket.recv() == f"{number} {turn}"

        await asyncio.gather(*(many(number) for number in range(100)))


if AUTHORITY:
    context = ssl.create_default_context(cafile=AUTHORITY)
    connect = functools.partial(connect, ssl=context)
asyncio.run(check(int(sys.argv[1]), int(sys.argv[2])))
