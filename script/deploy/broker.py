"""Asks a real RabbitMQ, over TLS, what the users of deploy/rabbitmq/definitions.json may do: broker.py PORT SECRETS. With
`nobody` at the end it asks that none of them can log in; with `post FILE…` it posts messages of fixtures/demo as their
senders, and prints how many messages wait then.

It publishes made-up bytes that name no person. Every question that gets another answer than wanted is printed, and the exit
code is then 1.
"""

import json
import ssl
import sys
import time
import uuid
from pathlib import Path

import pika
import pika.exceptions as wrong

PORT, SECRETS = int(sys.argv[1]), Path(sys.argv[2])
FAULTS: list[str] = []


def connection(user: str, password: str) -> pika.BlockingConnection:
    context = ssl.create_default_context(cafile=SECRETS / "ca.crt")
    login = pika.PlainCredentials(user, password)
    return pika.BlockingConnection(pika.ConnectionParameters(
        "localhost", PORT, "brygga", login, ssl_options=pika.SSLOptions(context, "localhost"), socket_timeout=20))


def password(user: str) -> str:
    return (SECRETS / ("amqp_password" if user == "brygga" else f"senders/{user}")).read_text().strip()


def answer(of: pika.BlockingConnection, ask) -> str:
    """What a new channel answers: ok, unroutable, nacked, or the code that it is closed with."""
    channel = of.channel()
    channel.confirm_delivery()
    try:
        ask(channel)
    except wrong.ChannelClosedByBroker as closed:
        return str(closed.reply_code)
    except wrong.UnroutableError:
        return "unroutable"
    except wrong.NackError:
        return "nacked"
    channel.close()
    return "ok"


def expect(words: str, wanted: str, got: str) -> None:
    if got != wanted:
        FAULTS.append(f"{words}: {wanted} was wanted, RabbitMQ says {got}")


def publish(exchange: str, key: str, user: str):
    message_id = str(uuid.uuid4())
    properties = pika.BasicProperties(
        user_id=user, message_id=message_id, delivery_mode=2, content_type="application/json",
        type="activity-report.v1", timestamp=int(time.time()))
    # No two alike, or Brygga takes one for a duplicate of the other.
    body = json.dumps({"none": message_id}).encode()
    return lambda channel: channel.basic_publish(exchange, key, body, properties, mandatory=True)


def depth(of: pika.BlockingConnection, queue: str) -> int:
    channel = of.channel()
    count = channel.queue_declare(queue, passive=True).method.message_count
    channel.close()
    return count


def until(words: str, holds) -> None:
    end = time.monotonic() + 30
    while not holds():
        if time.monotonic() > end:
            FAULTS.append(f"{words}: not within 30 s")
            return
        time.sleep(0.1)


def get(queue: str):
    return lambda channel: channel.basic_get(queue, auto_ack=True)


def senders(definitions: dict) -> None:
    topics = {one["user"]: one["write"] for one in definitions["topic_permissions"]}
    names = sorted(topics)
    for index, name in enumerate(names):
        other = names[(index + 1) % len(names)]
        with connection(name, password(name)) as of:
            system, messages = topics[name].removeprefix("^").removesuffix(")$").replace("\\", "").split(".(")
            for message in messages.split("|"):
                expect(f"{name} posts {message}", "ok", answer(of, publish("brygga.in", f"{system}.{message}", name)))
            theirs = topics[other].removeprefix("^").replace("\\", "").split(".(")[0]
            expect(f"{name} posts as {other}'s system", "403", answer(of, publish("brygga.in", f"{theirs}.consent", name)))
            expect(f"{name} posts a message it does not send", "403",
                   answer(of, publish("brygga.in", f"{system}.receipt", name)))
            expect(f"{name} posts below its key", "403", answer(of, publish("brygga.in", f"{system}.consent.more", name)))
            expect(f"{name} says it is {other}", "406", answer(of, publish("brygga.in", f"{system}.consent", other)))
            for exchange in ("brygga.out", "brygga.dlx", ""):
                expect(f"{name} posts to '{exchange}'", "403", answer(of, publish(exchange, "brygga.in", name)))
            for queue in ("brygga.in", "brygga.dead", f"brygga.out.{other}"):
                expect(f"{name} reads {queue}", "403", answer(of, get(queue)))
            expect(f"{name} reads its own queue", "ok", answer(of, get(f"brygga.out.{name}")))
            own = f"brygga.out.{name}"
            expect(f"{name} binds its queue to brygga.in", "403",
                   answer(of, lambda channel: channel.queue_bind(own, "brygga.in", "#")))
            expect(f"{name} empties brygga.in", "403", answer(of, lambda channel: channel.queue_purge("brygga.in")))
            expect(f"{name} makes a queue", "403", answer(of, lambda channel: channel.queue_declare("mine")))
            expect(f"{name} deletes its queue", "403", answer(of, lambda channel: channel.queue_delete(own)))


def service(definitions: dict) -> None:
    with connection("brygga", password("brygga")) as of:
        for queue in definitions["queues"]:
            expect(f"brygga looks at {queue['name']}", "ok",
                   answer(of, lambda channel, name=queue["name"]: channel.queue_declare(name, passive=True)))
        for one in definitions["exchanges"]:
            expect(f"brygga looks at {one['name']}", "ok",
                   answer(of, lambda channel, name=one["name"]: channel.exchange_declare(name, passive=True)))
        expect("brygga posts to brygga.in", "403", answer(of, publish("brygga.in", "1863.ame.consent", "brygga")))
        expect("brygga makes a queue", "403", answer(of, lambda channel: channel.queue_declare("more")))
        for one in (one for one in definitions["bindings"] if one["source"] == "brygga.out"):
            queue, key = one["destination"], one["routing_key"].replace("#", "accepted")
            before = depth(of, queue)
            expect(f"brygga answers to {queue}", "ok", answer(of, publish("brygga.out", key, "brygga")))
            until(f"the answer lies in {queue}", lambda name=queue, count=before: depth(of, name) == count + 1)
        expect("brygga answers to nobody's queue", "unroutable", answer(of, publish("brygga.out", "0000.x.accepted", "brygga")))
        dead_letters(of)


def dead_letters(of: pika.BlockingConnection) -> None:
    """What is rejected, and what comes back more often than the limit, lies in brygga.dead, and nothing is lost."""
    total = depth(of, "brygga.in")
    expect("messages wait in brygga.in", "True", str(total > 2))
    channel = of.channel()
    first, _, _ = channel.basic_get("brygga.in")
    channel.basic_reject(first.delivery_tag, requeue=False)
    until("a rejected message lies in brygga.dead", lambda: depth(of, "brygga.dead") == 1)
    for _ in range(60 * total):
        method, _, _ = channel.basic_get("brygga.in")
        if method is None:
            break
        channel.basic_nack(method.delivery_tag, requeue=True)
    until("what was returned too often lies in brygga.dead", lambda: depth(of, "brygga.dead") == total)
    # More often than RabbitMQ 4's own limit of 20.
    for _ in range(30):
        method, _, _ = channel.basic_get("brygga.dead")
        if method is not None:
            channel.basic_nack(method.delivery_tag, requeue=True)
    until("what is returned to brygga.dead stays there, however often", lambda: depth(of, "brygga.dead") == total)
    expect("brygga reads brygga.dead", "ok", answer(of, get("brygga.dead")))


def nobody(definitions: dict) -> None:
    """With the definitions as shipped no password works: neither the right one, nor none, nor one that is easy to guess."""
    for name in [one["name"] for one in definitions["users"]] + ["guest"]:
        for word in ("guest", "", name) if name in ("guest", "brygga") else (password(name), ""):
            try:
                connection(name, word).close()
                FAULTS.append(f"{name} can log in")
            except wrong.AMQPConnectionError:
                pass


def post(definitions: dict, paths: list[Path]) -> None:
    """The name of such a file is its envelope: `13.hallefors-ame.activity-report.v1.<message id>.json`."""
    topics = {one["user"]: one["write"] for one in definitions["topic_permissions"]}
    for path in paths:
        _, login, message, version, message_id, syntax = path.name.split(".")
        properties = pika.BasicProperties(
            user_id=login, message_id=message_id, delivery_mode=2, content_type=f"application/{syntax}",
            type=f"{message}.{version}", timestamp=int(time.time()))
        key = topics[login].removeprefix("^").replace("\\", "").split(".(")[0] + f".{message}"
        with connection(login, password(login)) as of:
            expect(f"{path.name} is posted", "ok", answer(
                of, lambda channel: channel.basic_publish("brygga.in", key, path.read_bytes(), properties, mandatory=True)))
    with connection("brygga", password("brygga")) as of:
        print(depth(of, "brygga.in") + depth(of, "brygga.dead"))


def main() -> int:
    definitions = json.loads((SECRETS / "definitions.json").read_text())
    if sys.argv[3:] == ["nobody"]:
        nobody(definitions)
    elif sys.argv[3:4] == ["post"]:
        post(definitions, [Path(one) for one in sys.argv[4:]])
    else:
        senders(definitions)
        service(definitions)
    for fault in FAULTS:
        print(fault, file=sys.stderr)
    return int(bool(FAULTS))


if __name__ == "__main__":
    sys.exit(main())
