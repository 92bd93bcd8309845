"""Posts a report as a supplier does: pika, publisher confirms, mandatory. It is also the example of docs/amqp.md."""

import os
import sys
import time
import uuid

import pika

login = "hallefors-ame"
connection = pika.BlockingConnection(
    pika.ConnectionParameters(
        host="127.0.0.1",
        port=int(os.environ["BRYGGA_PORT"]),
        virtual_host=os.environ["BRYGGA_VHOST"],
        credentials=pika.PlainCredentials(login, os.environ["BRYGGA_PASSWORD"]),
    )
)
channel = connection.channel()
channel.confirm_delivery()
with open(sys.argv[1], "rb") as file:
    body = file.read()
channel.basic_publish(
    exchange="brygga.in",
    routing_key="1863.ame.activity-report",
    body=body,
    properties=pika.BasicProperties(
        message_id=str(uuid.uuid4()),
        timestamp=int(time.time()),
        type="activity-report.v1",
        content_type="application/json",
        user_id=login,
        delivery_mode=2,
    ),
    mandatory=True,
)
connection.close()
