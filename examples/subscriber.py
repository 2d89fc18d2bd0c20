"""Prints new mail as it comes, with nothing but a NATS client: pip install nats-py; python examples/subscriber.py

All it relies on is the contract: the stream CHANGES, subjects changes.<tenant>.<account>.<entity>.<verb>, and a JSON event with `data.state`.
"""

import asyncio
import json
import os
import signal

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

TENANT = os.environ.get("MAILSTREAM_TENANT", "default")


async def main() -> None:
    nc = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:8085"), name="example-python")
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    # One change at a time: what is not acknowledged comes again before anything else, so the order holds whatever happens.
    changes = await nc.jetstream().pull_subscribe(
        f"changes.{TENANT}.*.message.created",
        durable="example-python",
        stream="CHANGES",
        config=ConsumerConfig(
            ack_policy=AckPolicy.EXPLICIT, deliver_policy=DeliverPolicy.ALL, max_ack_pending=1
        ),
    )
    while not stopped.is_set():
        try:
            messages = await changes.fetch(1, timeout=1)
        except nats.errors.TimeoutError:
            continue
        for message in messages:
            state = json.loads(message.data)["data"]["state"]
            sender = state["from"][0]["address"] if state["from"] else "nobody"
            print(f"new: {sender}: {state['subject'] or '(no subject)'}", flush=True)
            await message.ack()

    # And to have a mailbox looked at now, a message without a body will do:
    # await nc.publish(f"sync.requested.{TENANT}.{account}.push", b"")
    await nc.close()


asyncio.run(main())
