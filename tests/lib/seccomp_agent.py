"""Answers for a container's seccomp filter: listens at SOCKET for one listener, writes the message
that came with it to FILE, and lets every call that it is notified of fail with errno 28 (ENOSPC),
until the filtered process has ended.

usage: seccomp_agent.py SOCKET FILE
"""

import array
import ctypes
import fcntl
import os
import socket
import struct
import sys

RECV, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, _SEND
NOTIFICATION, RESPONSE = "QIIiIQ6Q", "QqiI"  # struct seccomp_notif, struct seccomp_notif_resp
ENOSPC = 28


def main(path, file):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path + ".new")
    server.listen(1)
    os.rename(path + ".new", path)
    client, _ = server.accept()
    message, control, _, _ = client.recvmsg(65536, 100)
    listener = array.array("i", control[0][2])[0]
    with open(file + ".new", "wb") as out:
        out.write(message)
    os.rename(file + ".new", file)
    while True:
        call = bytearray(struct.calcsize(NOTIFICATION))
        try:
            fcntl.ioctl(listener, RECV, call)
        except OSError:
            return  # ENOENT: nobody is left that could call
        number = struct.unpack(NOTIFICATION, call)[0]
        fcntl.ioctl(listener, SEND, struct.pack(RESPONSE, number, 0, -ENOSPC, 0))


ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM: not longer than the test
main(*sys.argv[1:])
