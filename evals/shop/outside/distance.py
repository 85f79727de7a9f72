"""The way to the database: a relay that holds every byte back for a moment, as a network between two rooms does.

`python -m evals.shop.outside.distance PORT DATABASE_PORT`. On one machine a statement would cost nothing, and code that
sends sixty instead of one would not be felt.
"""

from __future__ import annotations

import asyncio
import sys

ONE_WAY_SECONDS = 0.001
MOST_AT_ONCE = 65_536


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Pass on what comes, a little later, until one side ends."""
    try:
        while content := await source.read(MOST_AT_ONCE):
            await asyncio.sleep(ONE_WAY_SECONDS)
            target.write(content)
            await target.drain()
    except ConnectionError:
        pass
    finally:
        target.close()


async def relay(here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    try:
        there, onward = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    except OSError:  # the database is down: the caller sees its connection refused or cut
        back.close()
        return
    await asyncio.gather(pump(here, onward), pump(there, back))


async def serve() -> None:
    server = await asyncio.start_server(relay, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
