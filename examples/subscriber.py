"""Prints new mail as it comes, and goes on where it was, with nothing but a NATS client: pip install "nats-py[nkeys]"; python examples/subscriber.py

All it relies on is the contract: subjects changes.<tenant>.<account>.<entity>.<verb>, a JSON event with `data.state`, and a reader of the
tenant's changes that is asked for on broker.changes.<tenant>.
"""

import asyncio
import json
import os
import pathlib
import signal

import nats
import nkeys

TENANT = os.environ.get("MAILSTREAM_TENANT", "default")
PLACE = pathlib.Path(os.environ.get("PLACE_FILE", "example-python.place"))
SECOND = 1_000_000_000


async def connect() -> nats.NATS:
    url = os.environ.get("NATS_URL", "nats://127.0.0.1:8085")
    seed_file = os.environ.get("NATS_NKEY_SEED_FILE")
    if seed_file is None:
        return await nats.connect(url, name="example-python")
    seed = pathlib.Path(seed_file).read_text().strip()
    # Answers may come below one's own public key only.
    inbox = b"_INBOX." + nkeys.from_seed(seed.encode()).public_key
    return await nats.connect(url, name="example-python", nkeys_seed_str=seed, inbox_prefix=inbox)


async def main() -> None:
    nc = await connect()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    inbox = nc.new_inbox()
    answers = await nc.subscribe(inbox)
    reader = None
    while not stopped.is_set():
        if reader is None:
            # Sequences count within one stream: a program that must not miss anything compares `created`, too.
            sequence = int(PLACE.read_text()) + 1 if PLACE.exists() else 1
            start = {"filters": [f"changes.{TENANT}.*.message.created"], "from": {"sequence": str(sequence)}}
            reply = await nc.request(f"broker.changes.{TENANT}", json.dumps({"read": start}).encode(), timeout=5)
            reader = json.loads(reply.data)["consumer"]
        more = json.dumps({"batch": 1, "expires": SECOND}).encode()
        await nc.publish(f"$JS.API.CONSUMER.MSG.NEXT.CHANGES.{reader}", more, reply=inbox)
        try:
            message = await answers.next_msg(timeout=5)
        except nats.errors.TimeoutError:
            reader = None
            continue
        if not message.reply:
            # 408: nothing came within the second. Anything else: the reader is gone.
            reader = reader if (message.headers or {}).get("Status") == "408" else None
            continue
        state = json.loads(message.data)["data"]["state"]
        sender = state["from"][0]["address"] if state["from"] else "nobody"
        print(f"new: {sender}: {state['subject'] or '(no subject)'}", flush=True)
        PLACE.write_text(message.reply.split(".")[5])

    # And to have a mailbox looked at now, a message without a body will do:
    # await nc.publish(f"sync.requested.{TENANT}.{account}.push", b"")
    await nc.close()


asyncio.run(main())
