"""Stands for a program in a guest. `serve PORT`: tells each that connects who it seems to be, then sends back what it hears.
`call ADDRESS PORT`: writes what it was told, then sends each line of its input and writes the answer; `-` where none came."""
import socket
import sys
import threading


def serve(port):
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        connection, peer = server.accept()
        threading.Thread(target=answer, args=(connection, peer), daemon=True).start()


def answer(connection, peer):
    connection.sendall((peer[0].removeprefix("::ffff:") + "\n").encode())
    while data := connection.recv(65536):
        connection.sendall(data)


def call(address, port):
    try:
        connection = socket.create_connection((address, port), timeout=3)
    except OSError as error:
        print("-", error.strerror or error, flush=True)
        return
    # Whoever was let in is told at once, on a busy machine a little later.
    connection.settimeout(30)
    print(connection.recv(100).decode().strip(), flush=True)
    connection.settimeout(5)
    for line in sys.stdin:
        try:
            connection.sendall(line.encode())
            print(connection.recv(65536).decode().strip() or "-", flush=True)
        except OSError:
            print("-", flush=True)


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
else:
    call(sys.argv[2], int(sys.argv[3]))
