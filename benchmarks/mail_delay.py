"""A TCP proxy that makes a sink on loopback as far away as a real server, where `tc netem` is not allowed.

    python benchmarks/mail_delay.py --listen 2526 --to 2525 --milliseconds 30

Half of the round trip is added each way; bandwidth is not limited. Runs until interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Pass everything on, each piece `seconds` after it came."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read() -> None:
        while piece := await reader.read(2**16):
            pieces.put_nowait((loop.time() + seconds, piece))
        pieces.put_nowait((loop.time() + seconds, b""))

    reading = asyncio.create_task(read())
    try:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        reading.cancel()
        writer.close()


async def serve(listen: int, port: int, seconds: float) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(forward(reader, far_writer, seconds), forward(far_reader, writer, seconds))

    server = await asyncio.start_server(session, "127.0.0.1", listen, backlog=1000)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", type=int, default=2526)
    parser.add_argument("--to", type=int, default=2525)
    parser.add_argument("--milliseconds", type=float, default=30)
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(given.listen, given.to, given.milliseconds / 2000))


if __name__ == "__main__":
    main()
