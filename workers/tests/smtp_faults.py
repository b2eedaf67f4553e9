"""A mail server that does as the recipient's name says, for tests of the SMTP transport.

Prints one JSON object per line: first the port, then each greeting and each message that it took over. It ends when its
input ends, so that it never outlives the test that started it.
"""

import argparse
import asyncio
import email
import json
import logging
import ssl
import sys
import warnings

try:
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:
    sys.exit("aiosmtpd is missing: install it with pip, and name that Python in FAIRY_TEST_PYTHON")

# What it complains about is what the tests do on purpose.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

RCPT = {
    "later": "451 4.3.0 come again",
    "never": "550 5.1.1 no such user",
    "signin": "530 5.7.0 authentication required",
    "relay": "554 5.7.1 <relay@example.com>: Relay access denied",
    "gone": "550 5.1.1 no such user, says the relay",
    "closing": "421 4.3.2 closing",
}
DATA = {"busy": "452 4.2.2 mailbox full", "spam": "554 5.7.1 refused"}


def say(**what):
    print(json.dumps(what), flush=True)


def under_tls(server):
    return server.transport.get_extra_info("cipher") is not None


class Handler:
    def __init__(self, mails):
        self.mails = mails
        self.taken = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        say(event="hello", name=hostname, tls=under_tls(server))
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.taken == self.mails:
            return "421 4.7.0 too many mails over this connection"
        if address.startswith("unwanted@"):
            return "550 5.1.8 bad sender"
        envelope.mail_from = address
        return "250 2.1.0 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        envelope.rcpt_tos.append(address)
        return RCPT.get(address.split("@")[0], "250 2.1.5 ok")

    async def handle_DATA(self, server, session, envelope):
        name = envelope.rcpt_tos[0].split("@")[0]
        if name == "drop":
            server.transport.abort()
        elif name == "slow":
            await asyncio.sleep(3600)
        elif name in DATA:
            return DATA[name]
        else:
            parsed = email.message_from_bytes(envelope.content)
            say(
                event="mail",
                to=envelope.rcpt_tos,
                message_id=parsed["Message-ID"],
                notice=parsed["X-Fairy-Notice"],
                subject=str(email.header.make_header(email.header.decode_header(parsed["Subject"]))),
                parts=[p.get_content_type() for p in parsed.walk()],
                text=parsed.get_payload(0).get_payload(decode=True).decode(),
                tls=under_tls(server),
                user=session.auth_data,
            )
            if name == "lost":
                server.transport.abort()
        self.taken += 1
        return "250 2.0.0 taken as 42"


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--tls", choices=["none", "starttls", "smtps"], default="none")
    options.add_argument("--certificate")
    options.add_argument("--key")
    options.add_argument("--password")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--mails", type=int, help="mails of one connection before it is tired")
    options = options.parse_args()

    context = None
    if options.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)

    def sign_in(server, session, envelope, mechanism, data):
        fits = data.password.decode() == options.password
        return AuthResult(success=fits, handled=False, auth_data=data.login.decode())

    def protocol():
        return SMTP(
            Handler(options.mails),
            authenticator=sign_in,
            auth_required=options.password is not None,
            auth_require_tls=options.tls == "starttls",
            require_starttls=options.tls == "starttls",
            tls_context=context if options.tls == "starttls" else None,
        )

    loop = asyncio.get_running_loop()
    implicit = context if options.tls == "smtps" else None
    server = await loop.create_server(protocol, "127.0.0.1", options.port, ssl=implicit)
    say(event="port", port=server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
