"""Runs the sender or the receiver of flute-alc on a multicast group.

Its one argument is a JSON object, described in with-peer.ts. The library has no sockets, no pacing and no loss: they are
here. What the library reports goes to standard error.
"""

import json
import logging
import os
import queue
import socket
import struct
import sys
import threading
import time

from flute import receiver, sender

SO_RCVBUFFORCE = 33
RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
EXT_FDT = 192
FIRST_FIXED_LENGTH_EXTENSION = 128


def main():
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    options = json.loads(sys.argv[1])
    (send if options["role"] == "send" else receive)(options)


def is_dropped(data, options):
    """Whether the link loses this packet: one of the symbols `dropEsi` of any block of an object."""
    header = receiver.LCTHeader(data)
    return header.toi != 0 and header.esi in options["dropEsi"]


def receive(options):
    """Stores what is received below `directory`, until standard input ends."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    try:
        connection.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except PermissionError:
        pass
    connection.bind((options["group"], options["port"]))
    membership = socket.inet_aton(options["group"]) + socket.inet_aton(options["interface"])
    connection.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)

    def end_with_parent():
        sys.stdin.read()
        os._exit(0)

    # A thread of its own empties the socket: the library takes its time over each packet.
    packets = queue.SimpleQueue()

    def fetch():
        while True:
            packets.put(connection.recv(65536))

    threading.Thread(target=end_with_parent, daemon=True).start()
    threading.Thread(target=fetch, daemon=True).start()
    endpoint = receiver.UDPEndpoint(options["group"], options["port"])
    sessions = receiver.MultiReceiver(receiver.ObjectWriterBuilder(options["directory"]), receiver.Config())
    print("ready", flush=True)
    while True:
        data = packets.get()
        try:
            if not is_dropped(data, options):
                sessions.push(endpoint, data)
        except TypeError as error:
            print(f"refused {error}", file=sys.stderr, flush=True)


def send(options):
    """Sends every file once, behind an FDT instance."""
    config = sender.Config()
    config.fdt_cenc = options["fdtEncoding"]
    config.fdt_xml_profile = options["fdtProfile"]
    config.fdt_start_id = options["fdtInstanceId"]
    session = sender.Sender(options["tsi"], fec_of(options["fec"]), config)
    # The package counts TOIs from 1 and takes no other start, so those before the first wanted one are used up.
    for _ in range(1, options["firstToi"]):
        session.remove_object(session.add_object_from_buffer(b"-", "text/plain", "http://peer/unused"))
    for file in options["files"]:
        session.add_file(file["path"], file["encoding"], file["type"], file["location"])
    session.publish()

    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(options["interface"]))
    connection.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
    connection.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
    sent = 0
    due = time.monotonic()
    while session.nb_objects() > 0:
        data = session.read()
        if data is None:
            time.sleep(0.001)
            continue
        if not is_dropped(data, options):
            connection.sendto(with_version(data, options["version"]), (options["group"], options["port"]))
            sent += 1
            due += (len(data) + 28) * 8 / options["rateBps"]
            time.sleep(max(0, due - time.monotonic()))
    print(f"sent {sent}", flush=True)


def fec_of(fec):
    if fec["encodingId"] == 0:
        return sender.Oti.new_no_code(fec["symbolBytes"], fec["sourceBlockSymbolsMax"])
    return sender.Oti.new_reed_solomon_rs28(
        fec["symbolBytes"], fec["sourceBlockSymbolsMax"], fec["repairSymbolsPerBlock"]
    )


def with_version(data, version):
    """The library's profile RFC 3926 differs from RFC 6726 in EXT_FDT's version alone, and Python cannot choose it."""
    packet = bytearray(data)
    (flags,) = struct.unpack_from(">H", packet)
    words = packet[2]
    cci, tsi_toi = 1 + (flags >> 10 & 3), (flags >> 7 & 1) + (flags >> 5 & 3) + (flags >> 4 & 1)
    offset = 4 * (1 + cci + tsi_toi)
    while offset < 4 * words:
        if packet[offset] == EXT_FDT:
            packet[offset + 1] = version << 4 | packet[offset + 1] & 0x0F
        offset += 4 if packet[offset] >= FIRST_FIXED_LENGTH_EXTENSION else 4 * packet[offset + 1]
    return bytes(packet)


main()
