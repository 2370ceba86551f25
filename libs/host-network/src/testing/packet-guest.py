"""Stands for a guest: sends and hears frames as they are, on one link. One JSON object a line in, one out."""
import json
import select
import socket
import sys

link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
link.bind((sys.argv[1], 0))
outgoing = 4


def hear(until, seconds):
    heard = []
    while True:
        if not select.select([link], [], [], seconds)[0]:
            return {"heard": heard, "complete": False}
        frame, source = link.recvfrom(65535)
        if source[2] == outgoing:
            continue
        text = frame.hex()
        if until in text:
            return {"heard": heard, "complete": True}
        heard.append(text)


print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    command = json.loads(line)
    if "send" in command:
        link.send(bytes.fromhex(command["send"]))
        answer = {}
    else:
        answer = hear(command["until"], command["seconds"])
    print(json.dumps(answer), flush=True)
