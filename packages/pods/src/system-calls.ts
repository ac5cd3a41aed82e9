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
  fcntl(descriptor: number, command: number, kind: 'int', argument: number): number;
  mknod(path: Buffer, mode: number, device: bigint): number;
  llistxattr(path: Buffer, list: Buffer | null, size: number): number;
  lgetxattr(path: Buffer, name: string, value: Buffer | null, size: number): number;
  lsetxattr(path: Buffer, name: string, value: Buffer, size: number, flags: number): number;
  setns(namespace: number, type: number): number;
  unshare(flags: number): number;
  fchdir(descriptor: number): number;
  openTree(call: number, folder: number, path: string, flags: number): number;
  moveMount(call: number, from: number, empty: string, folder: number, target: string, flags: number): number;
  socket(domain: number, type: number, protocol: number): number;
  send(socket: number, message: Buffer, size: number, flags: number): number;
  recv(socket: number, answer: Buffer, size: number, flags: number): number;
  statx(folder: number, name: string, flags: number, mask: number, answer: Buffer): number;
  /** The same, for names that are no text. */
  statxOfBytes(folder: number, name: Buffer, flags: number, mask: number, answer: Buffer): number;
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
    setns: library.func('int setns(int, int)'),
    unshare: library.func('int unshare(int)'),
    fchdir: library.func('int fchdir(int)'),
    openTree: library.func('long syscall(long, int, const char *, unsigned int)'),
    moveMount: library.func('long syscall(long, int, const char *, int, const char *, unsigned int)'),
    socket: library.func('int socket(int, int, int)'),
    send: library.func('long send(int, const void *, size_t, int)'),
    recv: library.func('long recv(int, void *, size_t, int)'),
    pipe2: library.func('int pipe2(_Out_ int *, int)'),
    ioctl: library.func('int ioctl(int, unsigned long, void *)'),
    fcntl: library.func('int fcntl(int, int, ...)'),
    mknod: library.func('int mknod(const void *, unsigned int, unsigned long)'),
    llistxattr: library.func('long llistxattr(const void *, void *, size_t)'),
    lgetxattr: library.func('long lgetxattr(const void *, const char *, void *, size_t)'),
    statx: library.func('int statx(int, const char *, int, unsigned int, void *)'),
    statxOfBytes: library.func('int statx(int, const void *, int, unsigned int, void *)'),
    lsetxattr: library.func('int lsetxattr(const void *, const char *, const void *, size_t, int)'),
  };
  return loaded;
}

/** The name of the last failure, such as `EBUSY`. To be asked right after the call that failed. */
function lastError(): string {
  return getSystemErrorName(-koffi.errno());
}

function failed(what: string, target: string | Buffer): PodsFault {
  const name = lastError();
  return new PodsFault('SYSTEM_CALL_FAILED', `${what} ${target.toString()}: ${name}`, {
    cause: { code: name },
  });
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

const F_SETPIPE_SZ = 1031;

/** How much a pipe holds when nobody reads it. A limit of the machine leaves it as it is. */
export function setPipeSize(descriptor: number, bytes: number): void {
  libc().fcntl(descriptor, F_SETPIPE_SZ, 'int', bytes);
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

const NUL = Buffer.from([0]);
const terminated = (file: string | Buffer): Buffer => Buffer.concat([Buffer.from(file as string), NUL]);

/** No extended attribute is larger. */
const MAX_ATTRIBUTE = 64 * 1024;
const scratch = Buffer.allocUnsafe(MAX_ATTRIBUTE);

/** A device, pipe or socket. `mode` holds its type and permissions. @throws PodsFault SYSTEM_CALL_FAILED */
export function makeNode(file: string | Buffer, mode: number, device: bigint): void {
  if (libc().mknod(terminated(file), mode, device) !== 0) throw failed('mknod', file);
}

/**
 * Extended attributes of a file, links not followed, sorted by name; none where the file system has none.
 * @throws PodsFault SYSTEM_CALL_FAILED
 */
export function readAttributes(file: string | Buffer): readonly (readonly [string, Buffer])[] {
  const path = terminated(file);
  const size = libc().llistxattr(path, scratch, MAX_ATTRIBUTE);
  if (size === 0) return [];
  if (size < 0) {
    const name = lastError();
    if (name === 'ENOTSUP' || name === 'ENOENT' || name === 'ENOTDIR') return [];
    throw failed('llistxattr', file);
  }
  const names = scratch.toString('utf8', 0, size).split('\0').filter(Boolean).toSorted();
  return names.flatMap((name) => {
    const length = libc().lgetxattr(path, name, scratch, MAX_ATTRIBUTE);
    return length < 0 ? [] : [[name, Buffer.from(scratch.subarray(0, length))] as const];
  });
}

/** @throws PodsFault SYSTEM_CALL_FAILED */
export function writeAttribute(file: string | Buffer, name: string, value: Buffer): void {
  if (libc().lsetxattr(terminated(file), name, value, value.length, 0) !== 0)
    throw failed(`set ${name} of`, file);
}

const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;

/** Fills `answer` with a `struct statx`; false when there is nothing of that name. @throws PodsFault SYSTEM_CALL_FAILED */
export function callStatx(folder: number, name: string | Buffer, answer: Buffer): boolean {
  const result =
    typeof name === 'string'
      ? libc().statx(folder, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, answer)
      : libc().statxOfBytes(folder, terminated(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, answer);
  if (result === 0) return true;
  const error = lastError();
  if (error === 'ENOENT' || error === 'ENOTDIR') return false;
  throw failed('statx', name);
}

const CLONE_NEWNET = 0x40000000;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;

/**
 * A TCP socket that belongs to another network, not yet connected, closed on exec. This thread goes there and back
 * within the call, so nothing else of the process ever sees that network.
 * @param network an open `/proc/…/ns/net`
 * @throws PodsFault SYSTEM_CALL_FAILED
 */
export function socketInNetwork(network: number): number {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    if (libc().setns(network, CLONE_NEWNET) !== 0) throw failed('setns', 'the network of a pod');
    const socket = libc().socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | O_CLOEXEC, 0);
    const problem = socket < 0 ? failed('socket', 'in the network of a pod') : undefined;
    if (libc().setns(home, CLONE_NEWNET) !== 0) throw failed('setns', 'the network of this process');
    if (problem) throw problem;
    return socket;
  } finally {
    closeSync(home);
  }
}

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const MSG_DONTWAIT = 0x40;

const kernelSockets = new Map<number, number>();

/**
 * Hands messages to a part of the kernel that carries them out before it returns, and gives what it answers. The socket is
 * kept: closing one of nftables waits until all processors have forgotten what was deleted.
 * @param family such as NETLINK_NETFILTER
 * @throws PodsFault SYSTEM_CALL_FAILED when there is no such part, or no answer
 */
export function askKernel(family: number, messages: Buffer): Buffer {
  const socket = kernelSockets.get(family) ?? libc().socket(AF_NETLINK, SOCK_RAW | O_CLOEXEC, family);
  if (socket < 0) throw failed('socket', `of netlink family ${family}`);
  kernelSockets.set(family, socket);
  if (libc().send(socket, messages, messages.length, 0) < 0) throw failed('send', 'to the kernel');
  const answers: Buffer[] = [];
  for (;;) {
    const size = libc().recv(socket, scratch, scratch.length, MSG_DONTWAIT);
    if (size < 0 && (answers.length === 0 || lastError() !== 'EAGAIN'))
      throw failed('recv', 'from the kernel');
    if (size < 0) return Buffer.concat(answers);
    answers.push(Buffer.from(scratch.subarray(0, size)));
  }
}

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
/** The same numbers on every machine; the C library of older systems has no names for them. */
const OPEN_TREE = 428;
const MOVE_MOUNT = 429;
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const AT_FDCWD = -100;

/**
 * Shows at `target` what a process in another mount namespace sees mounted at `source`: the same file system, which then
 * lives on here. This thread goes there and back within the call.
 * @throws PodsFault SYSTEM_CALL_FAILED, also where the kernel is older than 5.2
 */
export function carryMount(pid: number, source: string, target: string): void {
  const places = ['/proc/thread-self/ns/mnt', `/proc/${pid}/ns/mnt`, '.'].map((place) =>
    openSync(place, 'r'),
  );
  const [home = -1, there = -1, folder = -1] = places;
  try {
    // Only a thread with a working folder of its own may change its view of the mounts.
    if (libc().unshare(CLONE_FS) !== 0) throw failed('unshare', 'the working folder');
    if (libc().setns(there, CLONE_NEWNS) !== 0) throw failed('setns', `the mounts of process ${pid}`);
    const tree = libc().openTree(OPEN_TREE, AT_FDCWD, source, OPEN_TREE_CLONE | O_CLOEXEC);
    const problem = tree < 0 ? failed('open_tree', source) : undefined;
    if (libc().setns(home, CLONE_NEWNS) !== 0) throw failed('setns', 'the mounts of this process');
    libc().fchdir(folder);
    if (problem) throw problem;
    places.push(tree);
    if (libc().moveMount(MOVE_MOUNT, tree, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) !== 0)
      throw failed('move_mount', target);
  } finally {
    for (const place of places) closeSync(place);
  }
}
