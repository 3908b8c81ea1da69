"""A Modbus TCP server by pymodbus (3.0, as in Debian 12), for tests.

It listens on a free port of 127.0.0.1, prints one JSON object and ends when its
standard input does. Unit 1 has a value of every type in every order in its
holding registers, packed by Python's struct and listed in the object; unit 2 has
input registers and coils that follow a rule.
"""

import asyncio
import json
import struct
import sys

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server.async_io import ModbusTcpServer

# Type by type: struct's letter, and values that show a byte in a wrong place.
NUMBERS = {
    "int16": ("h", [-12345, 0]),
    "uint16": ("H", [54321]),
    "int32": ("i", [-1234567890, 1]),
    "uint32": ("I", [3735928559]),
    "int64": ("q", [-1234567890123456789]),
    "uint64": ("Q", [16045690984833335023]),
    "float32": ("f", [200.5, -0.15625]),
    "float64": ("d", [123.456, -1e300]),
}


def words(packed, order):
    """The registers of a value that is packed with the highest byte first."""
    regs = list(struct.unpack(">%dH" % (len(packed) // 2), packed))
    if order in ("CDAB", "DCBA"):
        regs.reverse()
    if order in ("BADC", "DCBA"):
        regs = [(r & 0xFF) << 8 | r >> 8 for r in regs]
    return regs


def unit1():
    """Registers by address, and what they mean."""
    regs, items, at = {}, [], 100

    def put(values, **item):
        nonlocal at
        regs.update({at + i: v for i, v in enumerate(values)})
        items.append(dict(item, address=at))
        at += len(values)

    for kind, (letter, values) in NUMBERS.items():
        for value in values:
            packed = struct.pack(">" + letter, value)
            for order in [""] if len(packed) == 2 else ["ABCD", "CDAB", "BADC", "DCBA"]:
                put(words(packed, order), type=kind, order=order, value=str(value))
    put([0x1234], type="bcd16", order="", value="1234")
    put([0x5678, 0x1234], type="bcd32", order="CDAB", value="12345678")
    put(list(struct.unpack(">3H", b"L-17\0\0")), type="string(6)", order="ABCD", value="L-17")
    put(list(struct.unpack("<3H", b"L-17\0\0")), type="string(6)", order="BADC", value="L-17")
    return regs, items


def block(values):
    return ModbusSparseDataBlock(values or {0xFFFF: 0})


async def main():
    regs, items = unit1()
    empty = block(None)
    context = ModbusServerContext(
        single=False,
        slaves={
            1: ModbusSlaveContext(di=empty, co=empty, hr=block(regs), ir=empty, zero_mode=True),
            2: ModbusSlaveContext(
                di=empty,
                co=block({a: (a * 7 + a // 9) % 2 for a in range(2500)}),
                hr=empty,
                ir=block({a: (a * 40503 + 7) & 0xFFFF for a in range(1000)}),
                zero_mode=True,
            ),
        },
    )
    server = ModbusTcpServer(context, address=("127.0.0.1", 0))
    task = asyncio.ensure_future(server.serve_forever())
    await server.serving
    host, port = server.server.sockets[0].getsockname()
    print(json.dumps({"address": "%s:%d" % (host, port), "items": items}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    task.cancel()


asyncio.run(main())
