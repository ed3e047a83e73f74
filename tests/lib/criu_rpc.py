#!/usr/bin/env python3
"""A client of criu's RPC that makes its messages by hand.

    criu_rpc.py swrk PROGRAM REQUEST...        starts PROGRAM swrk N, as libraries do
    criu_rpc.py connect SOCKET REQUEST...      asks a service

A REQUEST is JSON, {"type": "DUMP", "opts": {...}}; a directory's path stands for its descriptor,
and bytes in hexadecimal ({"raw": "08ff"}) for a message of one's own. All go over one connection.
Each answer is printed as a line of JSON. Notifications are acknowledged, and "refuse": STAGE
refuses one; "hang-up": STAGE goes away instead of answering; "type-in": TEXT types it on the
terminal that a restore has handed over.
"""
import json
import os
import socket
import subprocess
import sys
import time

TYPES = dict(
    EMPTY=0, DUMP=1, RESTORE=2, CHECK=3, PRE_DUMP=4, PAGE_SERVER=5, NOTIFY=6, CPUINFO_DUMP=7,
    CPUINFO_CHECK=8, FEATURE_CHECK=9, VERSION=10, WAIT_PID=11, PAGE_SERVER_CHLD=12,
    SINGLE_PRE_DUMP=13,
)
# The field's number; its kind is seen by the value.
OPTS = dict(
    images_dir_fd=1, pid=2, leave_running=3, ext_unix_sk=4, tcp_established=5, shell_job=7,
    file_locks=8, log_level=9, log_file=10, ps=11, notify_scripts=12, root=13, parent_img=14,
    track_mem=15, auto_dedup=16, work_dir_fd=17, link_remap=18, cpu_cap=20, exec_cmd=22,
    manage_cgroups=24, rst_sibling=26, inherit_fd=27, manage_cgroups_mode=34, ghost_limit=35,
    external=37, timeout=45, lazy_pages=48, status_fd=49, orphan_pts_master=50, config_file=51,
    images_dir=68, leave_stopped=69, from_the_future=500,
)
REQUEST = dict(type=1, opts=2, notify_success=3, keep_open=4, features=5, pid=6)
FEATURES = dict(mem_track=1, lazy_pages=2, pidfd_store=3)
INHERIT = dict(key=1, fd=2)
ANSWER = {
    1: "type", 2: "success", 3: ("dump", {1: "restored"}), 4: ("restore", {1: "pid"}),
    5: ("notify", {1: "script", 2: "pid"}), 7: "cr_errno",
    8: ("features", {1: "mem_track", 2: "lazy_pages", 3: "pidfd_store"}), 9: "cr_errmsg",
    10: ("version", {1: "major", 2: "minor", 3: "gitid", 6: "name"}), 11: "status",
}
DIRECTORIES = "images_dir_fd", "work_dir_fd"


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while True:
        out.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def pack(fields, values, messages):
    out = b""
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                one = pack(messages[name], one, messages)
            if isinstance(one, str):
                one = one.encode()
            if isinstance(one, bytes):
                out += varint(fields[name] << 3 | 2) + varint(len(one)) + one
            else:
                out += varint(fields[name] << 3) + varint(int(one))
    return out


def unpack(fields, data):
    def number():
        nonlocal data
        value = shift = 0
        while True:
            byte, data = data[0], data[1:]
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    values = {}
    while data:
        key = number()
        known = fields[key >> 3]
        value = number()
        if key & 7 == 2:
            value, data = data[:value], data[value:]
            value = unpack(known[1], value) if isinstance(known, tuple) else value.decode()
        values[known[0] if isinstance(known, tuple) else known] = value
    return values


class Connection:
    def __init__(self, sock):
        self.sock, self.kept = sock, []

    def numbers(self, opts):
        for name in DIRECTORIES:
            if isinstance(opts.get(name), str):
                self.kept.append(os.open(opts[name], os.O_RDONLY | os.O_DIRECTORY))
                opts[name] = self.kept[-1]
        return opts

    def send(self, request):
        request = dict(request, type=TYPES.get(request["type"], request["type"]))
        if "opts" in request:
            request["opts"] = self.numbers(dict(request["opts"]))
        messages = dict(opts=OPTS, features=FEATURES, inherit_fd=INHERIT, ps={})
        self.sock.send(pack(REQUEST, request, messages))

    def receive(self):
        data, files, _, _ = socket.recv_fds(self.sock, 1 << 16, 8)
        if not data:
            return None
        answer = unpack(ANSWER, data)
        answer["type"] = next(k for k, v in TYPES.items() if v == answer["type"])
        if files:
            answer["files"] = [os.readlink(f"/proc/self/fd/{file}") for file in files]
            self.kept += files
        print(json.dumps(answer), flush=True)
        return answer

    def ask(self, request):
        request = dict(request)
        refused, hang_up, typed = (request.pop(k, None) for k in ("refuse", "hang-up", "type-in"))
        if "raw" in request:
            self.sock.send(bytes.fromhex(request["raw"]))
            return self.receive()
        self.send(request)
        while (answer := self.receive()) and answer["type"] == "NOTIFY":
            stage = answer["notify"]["script"]
            if stage == hang_up:
                self.sock.close()
                return None
            self.send({"type": "NOTIFY", "notify_success": stage != refused})
        if typed and answer and answer["success"]:
            print(json.dumps({"type": "typed", "screen": self.type(typed)}), flush=True)
        return answer

    def type(self, text):
        """On the terminal whose master came last: what is on its screen a second later."""
        os.write(self.kept[-1], text.encode())
        time.sleep(1)
        return os.read(self.kept[-1], 1000).decode()


def main(how, where, *requests):
    child = None
    if how == "swrk":
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        kept = [int(n) for n in os.environ.get("RPC_PASS", "").split()]
        child = subprocess.Popen([where, "swrk", str(theirs.fileno())],
                                 pass_fds=[theirs.fileno(), *kept])
        theirs.close()
    else:
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.connect(where)
    connection = Connection(ours)
    right = True
    for request in requests:
        answer = connection.ask(json.loads(request))
        right = bool(answer) and bool(answer["success"])
        if not answer:
            break
    ours.close()
    if child:
        child.wait()
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
