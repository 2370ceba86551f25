"""OpenStack's own client, loaded once, as loading it takes longer than most commands do. Each line of standard input is a
command, which runs in a process of its own that begins where the client has been loaded."""

import importlib.metadata
import json
import os
import signal
import sys

sys.argv = ["openstack"]  # By which it calls itself in what it says.

from openstackclient import shell  # noqa: E402

# What a command may take, in seconds.
PATIENCE = 240
LOADED = ("openstack.", "keystoneauth1.plugin")


def load():
    """Loads all commands and all ways to authenticate, which the client does one by one as they are used."""
    for distribution in importlib.metadata.distributions():
        for point in distribution.entry_points:
            if point.group.startswith(LOADED):
                try:
                    point.load()
                except ImportError:
                    pass  # Of a plugin whose own requirements are not installed: the client leaves it out too.


def redirect(command):
    for descriptor, path in ((0, os.devnull), (1, command["output"]), (2, command["errors"])):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)


def run(command):
    """The exit code of what the program would do with these arguments in this environment."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("it took too long"))
    signal.alarm(PATIENCE)
    os.environ.clear()
    os.environ.update(command["environment"])
    sys.argv = ["openstack", *command["arguments"]]
    try:
        return shell.main(command["arguments"]) or 0
    except SystemExit as leaving:
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)


def main():
    load()
    # Nobody waits for those that run commands: they tell of themselves.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        command = json.loads(line)
        if os.fork() > 0:
            continue
        answers = os.dup(1)
        redirect(command)
        code = 1
        try:
            code = run(command)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(answers, (json.dumps({"id": command["id"], "code": code}) + "\n").encode())
            os._exit(0)


main()
