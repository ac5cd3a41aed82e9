/** A program as Go's linker writes them, as far as a scan looks: ELF, one writable segment, the block of build information. */
export function goProgram(
  goVersion: string,
  modules: readonly string[],
  form: 'inline' | 'pointers' = 'inline',
): Buffer {
  const mark = Buffer.alloc(16, 0x30);
  const text = Buffer.concat([mark, Buffer.from(`path\tcommand\n${modules.join('\n')}\n`), mark]);
  const program = Buffer.alloc(80 * 1024 + text.length);
  writeElf(program);
  const block = form === 'inline' ? inline(goVersion, text) : pointers(goVersion, text);
  block.copy(program, DATA_AT);
  return program;
}

const DATA_AT = 4096;
const ADDRESS = 0x40_0000;
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');

function writeElf(program: Buffer): void {
  program.writeUInt32BE(0x7f45_4c46, 0);
  program.set([2, 1], 4);
  program.writeBigUInt64LE(64n, 32);
  program.writeUInt16LE(56, 54);
  program.writeUInt16LE(1, 56);
  program.writeUInt32LE(1, 64);
  program.writeUInt32LE(6, 68);
  program.writeBigUInt64LE(BigInt(DATA_AT), 72);
  program.writeBigUInt64LE(BigInt(ADDRESS), 80);
  program.writeBigUInt64LE(BigInt(program.length - DATA_AT), 96);
}

function inline(goVersion: string, text: Buffer): Buffer {
  const header = Buffer.alloc(32);
  MAGIC.copy(header);
  header.set([8, 2], 14);
  const version = Buffer.from(goVersion);
  return Buffer.concat([header, varint(version.length), version, varint(text.length), text]);
}

function varint(value: number): Buffer {
  return value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value % 128) + 128]), varint(value >> 7)]);
}

/** Header, two string headers, the strings. */
function pointers(goVersion: string, text: Buffer): Buffer {
  const version = Buffer.from(goVersion);
  const head = Buffer.alloc(64);
  MAGIC.copy(head);
  head.set([8, 0], 14);
  head.writeBigUInt64LE(BigInt(ADDRESS + 32), 16);
  head.writeBigUInt64LE(BigInt(ADDRESS + 48), 24);
  head.writeBigUInt64LE(BigInt(ADDRESS + 64), 32);
  head.writeBigUInt64LE(BigInt(version.length), 40);
  head.writeBigUInt64LE(BigInt(ADDRESS + 64 + version.length), 48);
  head.writeBigUInt64LE(BigInt(text.length), 56);
  return Buffer.concat([head, version, text]);
}
