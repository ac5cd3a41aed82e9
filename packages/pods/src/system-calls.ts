import koffi from 'koffi';
import { closeSync, constants, openSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { PodsFault } from './fault.ts';

/**
 * The few system calls Node lacks. Each replaces a spawned program (3 to 10 ms each); none of them blocks for long.
 */
interface LibC {
  mount(source: string, target: string, type: string | null, flags: number, data: string | null): number;
  umount2(target: string, flags: number): number;
  pipe2(ends: number[], flags: number): number;
  ioctl(descriptor: number, request: number, argument: Buffer): number;
}

const MS_BIND = 0x1000;
const MNT_DETACH = 2;
const O_CLOEXEC = 0o2000000;

let loaded: LibC | undefined;

function libc(): LibC {
  if (loaded) return loaded;
  const library = koffi.load('libc.so.6');
  loaded = {
    mount: library.func('int mount(const char *, const char *, const char *, unsigned long, const char *)'),
    umount2: library.func('int umount2(const char *, int)'),
    pipe2: library.func('int pipe2(_Out_ int *, int)'),
    ioctl: library.func('int ioctl(int, unsigned long, void *)'),
  };
  return loaded;
}

/** The name of the last failure, such as `EBUSY`. To be asked right after the call that failed. */
function lastError(): string {
  return getSystemErrorName(-koffi.errno());
}

function failed(what: string, target: string): PodsFault {
  const name = lastError();
  return new PodsFault('SYSTEM_CALL_FAILED', `${what} ${target}: ${name}`, { cause: { code: name } });
}

/** @throws PodsFault SYSTEM_CALL_FAILED whose cause has the error's name as `code`. */
export function mountFileSystem(type: string, target: string, options: string): void {
  if (libc().mount(type, target, type, 0, options) !== 0) throw failed(`mount ${type} on`, target);
}

/** Makes `source` appear at `target`, which must exist. */
export function bindMount(source: string, target: string): void {
  if (libc().mount(source, target, null, MS_BIND, null) !== 0) throw failed(`bind ${source} to`, target);
}

/**
 * Takes the topmost mount at `target` away; at once from the tree, even when something still uses it.
 * Nothing mounted there is no error: the answer is then false.
 */
export function unmount(target: string): boolean {
  if (libc().umount2(target, 0) === 0) return true;
  let name = lastError();
  if (name === 'EBUSY') {
    if (libc().umount2(target, MNT_DETACH) === 0) return true;
    name = lastError();
  }
  if (name === 'EINVAL' || name === 'ENOENT') return false;
  throw failed('unmount', target);
}

/**
 * A kernel pipe, `[read, write]`, closed on exec. Node gives children sockets instead, and a program that opens
 * /dev/stdout or /dev/stderr by name, as web servers do for their logs, cannot open a socket.
 */
export function pipe(): readonly [number, number] {
  const ends = [-1, -1];
  if (libc().pipe2(ends, O_CLOEXEC) !== 0) throw failed('pipe2', '');
  return [ends[0] ?? -1, ends[1] ?? -1];
}

const TIOCSPTLCK = 0x40045431;
const TIOCGPTN = 0x80045430;
const TIOCSWINSZ = 0x5414;

/** A new pseudo-terminal: our end, and the program's. */
export function pseudoTerminal(): { master: number; slave: number } {
  const flags = constants.O_RDWR | constants.O_NOCTTY;
  const master = openSync('/dev/ptmx', flags);
  try {
    const number = Buffer.alloc(4);
    if (libc().ioctl(master, TIOCSPTLCK, number) !== 0) throw failed('unlock', 'a terminal');
    if (libc().ioctl(master, TIOCGPTN, number) !== 0) throw failed('name', 'a terminal');
    return { master, slave: openSync(`/dev/pts/${number.readUInt32LE()}`, flags) };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** Tells a terminal its size. */
export function setTerminalSize(descriptor: number, columns: number, rows: number): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  if (libc().ioctl(descriptor, TIOCSWINSZ, size) !== 0) throw failed('resize', 'a terminal');
}
