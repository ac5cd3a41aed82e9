import { getSystemErrorName } from 'node:util';
import { PodsFault } from '../fault.ts';
import { askKernel } from '../system-calls.ts';

/** An element of a set of pairs of a device and an IPv4 address, in nftables' family of bridges. */
export interface DeviceAddress {
  readonly table: string;
  readonly set: string;
  readonly device: string;
  readonly address: string;
}

const NETLINK_NETFILTER = 12;
const NFTABLES = 10;
const FAMILY_BRIDGE = 7;
/** Numbers of messages; between the first two is what happens as a whole or not at all. */
const BEGIN = 0x10;
const END = 0x11;
const CHANGES = { add: (NFTABLES << 8) | 12, delete: (NFTABLES << 8) | 14 } as const;
const REQUEST = 1;
const ACKNOWLEDGE = 4;
const CREATE = 0x400;
const NESTED = 0x8000;
const DEVICE_BYTES = 16;

/**
 * Adds or removes an element by one message to the kernel: starting the program nft for it takes a thousand times as long,
 * and it happens twice in the life of every pod. What is there already is added again without harm.
 * @returns false when there is nothing to delete
 * @throws PodsFault SYSTEM_CALL_FAILED
 */
export function changeElement(change: keyof typeof CHANGES, element: DeviceAddress): boolean {
  const flags = REQUEST | ACKNOWLEDGE | (change === 'add' ? CREATE : 0);
  const messages = Buffer.concat([
    message(BEGIN, REQUEST, { family: 0, part: NFTABLES }),
    message(CHANGES[change], flags, { family: FAMILY_BRIDGE, part: 0 }, elementOf(element)),
    message(END, REQUEST, { family: 0, part: NFTABLES }),
  ]);
  const problem = errorIn(askKernel(NETLINK_NETFILTER, messages));
  if (problem === undefined) return true;
  if (change === 'delete' && problem === 'ENOENT') return false;
  const what = `cannot ${change} ${element.device} (${element.address}) in the set ${element.set} of ${element.table}`;
  throw new PodsFault('SYSTEM_CALL_FAILED', `${what}: ${problem}`, { cause: { code: problem } });
}

/** Header, header of netfilter, attributes; numbers are the machine's, those of netfilter the network's. */
function message(
  type: number,
  flags: number,
  { family, part }: { family: number; part: number },
  body: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32LE(head.length + body.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt8(family, 16);
  head.writeUInt16BE(part, 18);
  return Buffer.concat([head, body]);
}

function elementOf({ table, set, device, address }: DeviceAddress): Buffer {
  const key = Buffer.alloc(DEVICE_BYTES + 4);
  if (Buffer.byteLength(device) >= DEVICE_BYTES) throw new RangeError(`${device} is no name of a device`);
  key.write(device);
  key.set(address.split('.').map(Number), DEVICE_BYTES);
  const value = nested(1, attribute(1, key));
  return Buffer.concat([
    attribute(1, Buffer.from(`${table}\0`)),
    attribute(2, Buffer.from(`${set}\0`)),
    nested(3, nested(1, value)),
  ]);
}

const nested = (type: number, body: Buffer): Buffer => attribute(type | NESTED, body);

function attribute(type: number, body: Buffer): Buffer {
  const size = 4 + body.length;
  const whole = Buffer.alloc((size + 3) & ~3);
  whole.writeUInt16LE(size, 0);
  whole.writeUInt16LE(type, 2);
  body.copy(whole, 4);
  return whole;
}

const ERROR = 2;

/** The name of the first thing that went wrong, such as `ENOENT`; undefined when all was acknowledged. */
function errorIn(answer: Buffer): string | undefined {
  for (let at = 0; at + 20 <= answer.length;) {
    const code = answer.readUInt16LE(at + 4) === ERROR ? answer.readInt32LE(at + 16) : 0;
    if (code !== 0) return getSystemErrorName(code);
    at += Math.max(20, (answer.readUInt32LE(at) + 3) & ~3);
  }
  return undefined;
}
