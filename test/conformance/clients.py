# What the Python library "websockets" sees of a chat server: clients.py URL. The same steps as in clients.ts; one JSON object to stdout.
import asyncio
import json
import sys

import websockets


async def main(url: str) -> None:
    seen = {}
    async with websockets.connect(url) as socket:
        welcome = json.loads(await socket.recv())
        seen["welcome"] = welcome["type"]
        await socket.send('{"type":"ping"}')
        seen["command"] = json.loads(await socket.recv())["type"]
        await socket.send(['{"type":', '"ping"', "}"])
        seen["fragments"] = json.loads(await socket.recv())["type"]
        await asyncio.wait_for(await socket.ping(b"hello"), 5)
        seen["ping"] = "answered"
        await socket.send(b"\x00\xff")
        seen["binary"] = json.loads(await socket.recv())["code"]
        seen["extensions"] = ", ".join(type(each).__name__ for each in socket.protocol.extensions) or "none"
    seen["close"] = f"{socket.close_code}, clean"
    print(json.dumps(seen))


asyncio.run(main(sys.argv[1]))
