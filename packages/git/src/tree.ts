import { git, gitBytes } from './git.ts';
import { splitZero } from './repository.ts';

/** The files of one commit or of the working folder. Paths are relative to its top, `/` between. */
export interface Files {
  /** The text, or undefined when there is no such file. Of a commit: YAML files below 1 MiB only. */
  read(path: string): string | undefined;
  list(): readonly string[];
}

const PRELOADED = /\.ya?ml$/i;
const PRELOAD_LIMIT_BYTES = 1024 * 1024;
/** All of them together; the rest stays unread. */
const PRELOAD_TOTAL_BYTES = 32 * 1024 * 1024;

interface Blob {
  readonly path: string;
  readonly id: string;
  /** A symbolic link or a submodule: a name without content. */
  readonly isLink: boolean;
}

/**
 * The tree of a commit. The names are all of them; the contents of YAML files are read at once, so that `read` needs
 * no waiting, and nothing else can be read.
 * @throws GitFault UNKNOWN_REF and the faults of every repository
 */
export async function readTree(dir: string, sha: string): Promise<Files> {
  const output = await git(dir, ['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', sha], {
    maxOutputBytes: 512 * 1024 * 1024,
  });
  const blobs = splitZero(output).flatMap(parseEntry);
  const yaml = blobs.filter((blob) => PRELOADED.test(blob.path) && !blob.isLink);
  const contents = await readBlobs(dir, await smallEnough(dir, yaml));
  const paths = blobs.map((blob) => blob.path);
  return { read: (file) => contents.get(file), list: () => paths };
}

function parseEntry(line: string): Blob[] {
  const found = /^(\d+) (\w+) ([0-9a-f]+)\t([^]*)$/.exec(line);
  if (!found) return [];
  const [, mode = '', type = '', id = '', file = ''] = found;
  return type === 'blob' ? [{ path: file, id, isLink: mode === '120000' }] : [];
}

/** Sizes are asked for these files alone: `ls-tree --long` looks up every object of the tree. */
async function smallEnough(dir: string, blobs: readonly Blob[]): Promise<readonly Blob[]> {
  if (blobs.length === 0) return [];
  const ids = [...new Set(blobs.map((blob) => blob.id))];
  const output = await gitBytes(dir, ['cat-file', '--batch-check'], `${ids.join('\n')}\n`);
  const sizes = new Map(
    output
      .toString('latin1')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([id = '', type, size]) => [id, type === 'blob' ? Number(size) : Infinity] as const),
  );
  let total = 0;
  return blobs.filter((blob) => {
    const size = sizes.get(blob.id) ?? Infinity;
    if (size > PRELOAD_LIMIT_BYTES) return false;
    total += size;
    return total <= PRELOAD_TOTAL_BYTES;
  });
}

async function readBlobs(dir: string, blobs: readonly Blob[]): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  if (blobs.length === 0) return contents;
  const ids = [...new Set(blobs.map((blob) => blob.id))];
  const output = await gitBytes(dir, ['cat-file', '--batch'], `${ids.join('\n')}\n`);
  const byId = parseBatch(output);
  for (const blob of blobs) {
    const content = byId.get(blob.id);
    if (content !== undefined) contents.set(blob.path, content);
  }
  return contents;
}

/** `<id> blob <size>\n<content>\n` again and again; `<id> missing\n` for what a partial clone lacks. */
function parseBatch(output: Buffer): ReadonlyMap<string, string> {
  const byId = new Map<string, string>();
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(10, at);
    if (end === -1) break;
    const [id = '', type, size] = output.toString('latin1', at, end).split(' ');
    at = end + 1;
    if (type !== 'blob') continue;
    byId.set(id, output.toString('utf8', at, at + Number(size)));
    at += Number(size) + 1;
  }
  return byId;
}
