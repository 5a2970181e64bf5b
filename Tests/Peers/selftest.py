#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three generations of peers, a client connected through, and hand-overs that fail."""
import asyncio
import fcntl
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

from successor import SEALS
from wire import Aborted, Channel, Failure, Gone

PEER = [sys.executable, str(pathlib.Path(__file__).with_name("peer.py")), "--service", "selftest"]
SECONDS = 10


def check(right, what):
    print("ok  " if right else "FAIL", what, flush=True)
    if not right:
        raise SystemExit(1)


def operator(directory, name="serving"):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(os.path.join(directory, name))
    return Channel(sock)


async def status(directory, name="serving"):
    asked = operator(directory, name)
    asked.send("status")
    return await asked.receive(SECONDS)


async def upgrade(directory, arguments):
    """Asks for an upgrade: the steps, the result, and the operator's end."""
    asked, steps = operator(directory), []
    asked.send("upgrade", ("DRAIN_MS", 60_000), ("EXECUTABLE", arguments[0]),
               *[("ARG", argument) for argument in arguments])
    while (message := await asked.receive(SECONDS)).kind == "step":
        steps.append(f"{message.get('STEP')} {message.get('STATUS')}")
    return steps, message, asked


async def until_end(asked):
    """The last message before end-of-file."""
    last = None
    try:
        while True:
            last = await asked.receive(SECONDS)
    except Gone:
        return last


async def echoes(client, text):
    client[1].write(text)
    return await client[0].readexactly(len(text)) == text


async def three_generations(directory, lines):
    check((await lines()).startswith(b"ready 1 "), "the first generation is ready")
    first = await status(directory)
    port = int(first.lists("LISTENER")[0][0].rpartition(":")[2])
    clients, refused = [], 0

    async def connect():
        client = await asyncio.open_connection("127.0.0.1", port)
        return client, (await client[0].readline()).decode().strip()

    for generation in (1, 2, 3):
        now = await status(directory)
        check(now.get("GENERATION") == str(generation), f"generation {generation} serves")
        client, greeting = await connect()
        check(greeting == f"gen={now.get('PID')}", f"generation {generation} greets")
        clients.append(client)
        if generation == 3:
            break
        await failures(directory, generation)
        knocking, stop = [], asyncio.Event()

        async def knock():
            while not stop.is_set():
                other, _ = await connect()
                knocking.append(await echoes(other, b"knock"))
                other[1].close()

        task = asyncio.create_task(knock())
        steps, result, asked = await upgrade(directory, PEER)
        stop.set()
        await task
        check(result.get("RESULT") == "committed", f"generation {generation} hands over {steps}")
        said = f"ready {generation + 1} {result.get('PID')}\n".encode()
        check(await lines() == said, "it is ready")
        check(all(knocking), f"{len(knocking)} connections during the upgrade, all served")
        old = await status(directory, f"{generation}.sock")
        check(old.get("STATE") == "draining", f"generation {generation} drains")
        check(await echoes(client, b"still here"), "and serves its client")
        client[1].close()
        last = await until_end(asked)
        gone = last.kind == "draining" or last.get("CUT") == "0"
        check(gone, f"generation {generation} is gone")
        check(not os.path.exists(f"{directory}/{generation}.sock"), "its socket too")
    asked = operator(directory)
    asked.send("stop")
    check((await until_end(asked)).get("CUT") == "1", "stop cuts the last client")


async def failures(directory, generation):
    script = "import sys; sys.stderr.write('one\\ntwo\\n'); sys.exit(7)"
    cases = [(["/nonexistent"], "start", None), (["/bin/true"], "exited", "0"),
             ([sys.executable, "-c", script], "exited", "7"),
             ([*PEER[:-1], "another"], "application", "1")]
    for arguments, code, status_code in cases:
        _, result, _ = await upgrade(directory, arguments)
        found = (result.get("RESULT"), result.get("CODE"), result.get("EXIT"))
        check(found == ("unchanged", code, status_code), f"a successor that fails: {code} {found}")
        if status_code == "7":
            check(result.all("STDERR") == ["one", "two"], "its last lines are shown")
    asked = operator(directory)
    asked.send("dance")
    refused = await asked.receive(SECONDS)
    check(refused.get("CODE") == "unknown-kind", "an unknown kind is refused")
    now = await status(directory)
    check(now.get("GENERATION") == str(generation), "nothing has changed")


async def scripted_predecessor(directory, right):
    """Two batches and a sealed state, then death before `committed`; or a wrong manifest."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    given = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    environment = os.environ | {"SUCCESSION_CHANNEL": str(theirs.fileno())}
    process = await asyncio.create_subprocess_exec(
        *PEER, env=environment, pass_fds=[theirs.fileno()], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    theirs.close()
    channel = Channel(ours)
    await channel.expect(SECONDS, "hello")
    state = os.memfd_create("state", os.MFD_ALLOW_SEALING)
    os.write(state, b"s" * 100_000)
    fcntl.fcntl(state, fcntl.F_ADD_SEALS, SEALS)
    try:
        for index, sock in enumerate(given, 1):
            port = sock.getsockname()[1] + (0 if right else 1)
            channel.send("offer", ("SERVICE", "selftest"), ("GENERATION", 9),
                         ("BATCH", f"{index}/2"), ("TOTAL", 2), ("STATE", 1), ("FDS", 1),
                         fds=[sock.fileno()],
                         body=f"tcp:127.0.0.1:{port} bound 0 -\n".encode())
            await channel.expect(SECONDS, "taken")
        channel.send("state", ("SIZE", 100_000), ("FDS", 1), fds=[state])
        taken = await channel.expect(SECONDS, "taken")
        check(taken.number("STATE") == 100_000, "state in a memory file is taken")
        await channel.expect(SECONDS, "ready")
    except Failure as failure:
        check(not right and failure.code == "descriptor", f"a wrong descriptor is found: {failure}")
        check(await process.wait() != 0, "and the successor exits")
        return
    channel.close()
    line = await process.stdout.readline()
    check(line.startswith(b"ready 9 "), "it carries on without a predecessor")
    asked = operator(directory)
    asked.send("stop")
    await until_end(asked)
    check(await process.wait() == 0, "and stops")


async def contradictions(directory):
    """What contradicts itself or the page, and the code with which a successor gives up."""
    line = "tcp:127.0.0.1:{port} bound 0 -\n"
    cases = [
        ("descriptor", dict(body="tcp:127.0.0.1:1\n")),
        ("descriptor", dict(body=line + line)),
        ("unexpected", dict(BATCH="2/2", TOTAL=2)),
        ("malformed", dict(BATCH="one")),
        ("malformed", dict(TOTAL=3)),
        ("malformed", dict(STATE=None)),
        ("application", dict(SERVICE="another")),
        ("unexpected", dict(kind="upgrade"))]
    for code, changes in cases:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        given = socket.create_server(("127.0.0.1", 0))
        process = await asyncio.create_subprocess_exec(
            *PEER, env=os.environ | {"SUCCESSION_CHANNEL": str(theirs.fileno())},
            pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL)
        theirs.close()
        channel = Channel(ours)
        await channel.expect(SECONDS, "hello")
        body = changes.pop("body", line).format(port=given.getsockname()[1])
        kind = changes.pop("kind", "offer")
        keys = dict(SERVICE="selftest", GENERATION=9, BATCH="1/1", TOTAL=1, STATE=0, FDS=1)
        pairs = [(key, value) for key, value in (keys | changes).items() if value is not None]
        channel.send(kind, *pairs, body=body.encode(), fds=[given.fileno()])
        try:
            await channel.expect(SECONDS, "taken")
            await channel.expect(SECONDS, "ready")
            found = None
        except Failure as failure:
            found = failure.code
        check(found == code, f"{changes or kind} is {code}: {found}")
        check(await process.wait() != 0, "and the successor exits")
        check(not os.path.exists(f"{directory}/9.sock"), "without a control socket")
        channel.close()
        given.close()


async def hidden_abort():
    ours, theirs = map(Channel, socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    theirs.send("ready")
    ours.abort(Failure("timeout", "too late"))
    try:
        await theirs.expect(SECONDS, "committed")
    except Aborted as failure:
        return check(failure.code == "timeout", "an abort behind ECONNRESET is found")


async def main():
    with tempfile.TemporaryDirectory() as directory:
        os.environ["SUCCESSION_RUNTIME_DIRECTORY"] = directory
        process = await asyncio.create_subprocess_exec(
            *PEER, "--listen", "echo=tcp:127.0.0.1:0", stdout=subprocess.PIPE)
        try:
            async with asyncio.timeout(60):
                await three_generations(directory, process.stdout.readline)
                await hidden_abort()
                await scripted_predecessor(directory, right=True)
                await scripted_predecessor(directory, right=False)
                await contradictions(directory)
        finally:
            if os.path.exists(f"{directory}/serving"):
                operator(directory).send("stop")  # after a failure nobody is to live on


if __name__ == "__main__":
    asyncio.run(main())
