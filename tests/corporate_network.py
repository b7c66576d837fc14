"""Plays a company's network for tests, on loopback. Ours, made for this.

  corporate_network.py proxy BEHAVIOUR NAME:PORT=HOST:PORT...   a CONNECT proxy that knows these names alone
  corporate_network.py tls CERTIFICATE KEY HOST:PORT [NAME]      ends TLS and hands on to HOST:PORT

BEHAVIOUR is pass, hang, refuse (502), or login NAME:PASSWORD as one word (407 without them).
With NAME the end of TLS tells what is behind it that it was called by its own address, as most such ends do.
The first line on stdout is where it listens; a proxy prints each CONNECT after it. Ends when stdin closes.
"""

import asyncio
import base64
import ssl
import sys


def say(line):
    print(line, flush=True)


async def pump(reader, writer, change=lambda data: data):
    try:
        while data := await reader.read(65536):
            writer.write(change(data))
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def join(near, far, change=lambda data: data):
    await asyncio.gather(pump(near[0], far[1], change), pump(far[0], near[1]))


def proxy(behaviour, names):
    wanted = None
    if behaviour.startswith("login "):
        wanted = b"Basic " + base64.b64encode(behaviour.removeprefix("login ").encode())

    async def serve(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return writer.close()
        lines = head.split(b"\r\n")
        say(lines[0].decode())
        if behaviour == "hang":
            await reader.read()
            return writer.close()
        headers = dict(line.split(b": ", 1) for line in lines[1:] if b": " in line)
        given = {name.lower(): value for name, value in headers.items()}.get(b"proxy-authorization")
        target = names.get(lines[0].decode().split()[1])
        if wanted is not None and given != wanted:
            writer.write(b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
        elif behaviour == "refuse" or target is None:
            writer.write(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")
        else:
            far = await asyncio.open_connection(*target)
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            return await join((reader, writer), far)
        await writer.drain()
        writer.close()

    return serve, None


def tls(certificate, key, target, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    own = ("%s:%s" % target).encode()

    def change(data):
        return data.replace(b"\r\nhost: " + name.encode() + b"\r\n", b"\r\nhost: " + own + b"\r\n") if name else data

    async def serve(reader, writer):
        await join((reader, writer), await asyncio.open_connection(*target), change)

    return serve, context


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


async def main(kind, *args):
    if kind == "proxy":
        names = dict(pair.split("=") for pair in args[1:])
        serve, context = proxy(args[0], {name: address(target) for name, target in names.items()})
    else:
        serve, context = tls(args[0], args[1], address(args[2]), args[3] if len(args) > 3 else None)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    say("listening %s:%s" % server.sockets[0].getsockname())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main(*sys.argv[1:]))
