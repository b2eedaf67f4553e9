"""A mail server that keeps each accepted message as DIR/NUMBER.eml, whole or not at all. Usage: sink.py PORT DIR

While there is DIR/hold, it has taken a message as DIR/NUMBER.part and does not answer yet. It ends when its standard input does, so that it never outlives the test that started it.
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

    async def handle_DATA(self, server, session, envelope):
        path = os.path.join(self.directory, f"{next(self.numbers):08d}")
        with open(path + ".part", "wb") as file:
            file.write(envelope.content)
        while os.path.exists(os.path.join(self.directory, "hold")):
            await asyncio.sleep(0.02)
        os.rename(path + ".part", path + ".eml")
        return "250 kept"


controller = Controller(Keep(sys.argv[2]), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
sys.stdin.read()
controller.stop()
