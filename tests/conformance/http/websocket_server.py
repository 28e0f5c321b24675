"""An echo server for WebSockets, with a list of what it was told. "close" makes it close."""

import asyncio
import threading

import websockets


class WebSocketServer:
    def __init__(self, compression=None):
        self.compression = compression
        self.told = []
        self.closed_with = []

    async def _echo(self, socket):
        try:
            async for message in socket:
                self.told.append(message)
                await socket.send(message)
        except websockets.ConnectionClosed:
            pass
        self.closed_with.append(socket.close_code)

    async def _serve(self):
        self.loop = asyncio.get_running_loop()
        self.done = asyncio.Event()
        async with websockets.serve(self._echo, "127.0.0.1", 0, compression=self.compression,
                                    max_size=1 << 24, ping_interval=None) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.done.wait()

    def __enter__(self):
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.thread.start()
        if not self.ready.wait(20):
            raise RuntimeError("the WebSocket server did not start")
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join(20)
