import type { EntryType } from '../tar/entry.ts';
import { encodeHeader, endOfArchive, padding, plainEntry } from '../tar/writer.ts';

/** One member of a made-up archive: a file with this content, or what `type` says. */
export interface TarMember {
  readonly path: string;
  readonly type?: EntryType;
  readonly content?: string | Uint8Array;
  readonly linkPath?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** A tar archive in memory, with exactly these members in this order, hostile ones as they are. */
export function makeTar(members: readonly TarMember[]): Buffer {
  const parts = members.flatMap(({ path, type = 'file', content = '', xattrs = {}, ...rest }) => {
    const body = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
    const change = { ...rest, size: body.length, xattrs: new Map(Object.entries(xattrs)) };
    const link = rest.linkPath === undefined ? {} : { linkPath: bytes(rest.linkPath) };
    return [encodeHeader(plainEntry(bytes(path), type, { ...change, ...link })), body, padding(body.length)];
  });
  return Buffer.concat([...parts, endOfArchive()]);
}

function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}
