"""A mail server that keeps each accepted message as DIR/NUMBER.eml, whole or not at all. Usage: sink.py PORT DIR

While there is DIR/hold, it has taken a message as DIR/NUMBER.part and does not answer yet. What becomes of such a message is
said by DIR/ADDRESS.fate, once: `answered`, `kept` (and the connection cut without an answer) or `lost` (cut, and not kept).
Who leaves before the answer has sent it all the same. The server ends when its standard input does, so that it never
outlives the test that started it.
"""

import asyncio
import itertools
import os
import sys

from aiosmtpd.controller import Controller


class Keep:
    def __init__(self, directory):
        self.directory = directory
        self.numbers = itertools.count()

    def fate(self, address):
        path = os.path.join(self.directory, address + ".fate")
        try:
            with open(path) as file:
                fate = file.read()
            os.remove(path)
            return fate
        except FileNotFoundError:
            held = os.path.exists(os.path.join(self.directory, "hold"))
            return None if held else "answered"

    async def handle_DATA(self, server, session, envelope):
        path = os.path.join(self.directory, f"{next(self.numbers):08d}")
        with open(path + ".new", "wb") as file:
            file.write(envelope.content)
        os.rename(path + ".new", path + ".part")
        try:
            while not (fate := self.fate(envelope.rcpt_tos[0])):
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            os.rename(path + ".part", path + ".eml")
            raise
        if fate == "lost":
            os.remove(path + ".part")
        else:
            os.rename(path + ".part", path + ".eml")
        if fate != "answered":
            server.transport.abort()
        return "250 kept"


controller = Controller(Keep(sys.argv[2]), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
sys.stdin.read()
controller.stop()
