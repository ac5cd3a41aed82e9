import { mkdir } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { start } from '@updraft/kit';
import type { Clock, RunningProcess } from '@updraft/kit';
import { PodsFault } from '../fault.ts';
import type { PodFiles } from '../types.ts';
import type { ClusterApi } from './api.ts';
import { openExec } from './exec-session.ts';
import type { ExecEnd } from './exec-session.ts';
import { HELPER } from './manifest.ts';

const UNPACK = 'mkdir -p "$0" && cd "$0" && exec tar -x -o -f -';

/** Only what is there; 3: nothing is. */
const PACK = [
  'cd "$0" || exit 1; n=$#; while [ "$n" -gt 0 ]; do p=$1; shift; n=$((n - 1));',
  'if [ -e "./$p" ] || [ -L "./$p" ]; then set -- "$@" "./$p"; fi; done;',
  '[ "$#" -gt 0 ] || exit 3; exec tar -c -f - "$@"',
].join(' ');
const NOTHING_THERE = 3;

/** Files go in and out as tar streams through the helper container of a pod. */
export function podFiles(api: ClusterApi, clock: Clock, pod: string): PodFiles {
  const helper = (words: readonly string[]) => ({ pod, container: HELPER, command: ['sh', '-c', ...words] });
  return {
    async put(folder, target) {
      const said = new LastWords();
      const session = await openExec(api, clock, {
        ...helper([UNPACK, target]),
        onStdout: () => undefined,
        onStderr: said.hear,
      });
      // Whoever the image runs as may write what it finds, as GitLab's runner has it.
      const tar = await start('tar', [
        '--create',
        '--file',
        '-',
        '--mode',
        'a+rwX',
        '--directory',
        folder,
        '.',
      ]);
      tar.stderr?.on('data', said.hear);
      // tar in the pod ends by itself at the archive's end; a broken connection is told by how it ended.
      if (tar.stdout) await pipeline(tar.stdout, session.stdin).catch(() => undefined);
      const [packed, unpacked] = await Promise.all([tar.exited, session.ended]);
      if (packed.code !== 0) throw said.fault('packing files for', `${folder} failed`);
      if (!isDone(unpacked)) throw said.fault('copying files into', describe(unpacked));
    },
    async get(source, paths, folder) {
      if (paths.length === 0) return;
      await mkdir(folder, { recursive: true });
      const said = new LastWords();
      const tar = await unpackInto(folder);
      tar.stderr?.on('data', said.hear);
      const packed = await openExec(api, clock, {
        ...helper([PACK, source, ...paths]),
        onStdout: (chunk) => taken(tar.stdin, chunk),
        onStderr: said.hear,
      }).then(
        (session) => session.ended,
        (error: unknown) => {
          tar.kill('SIGKILL');
          throw error;
        },
      );
      tar.stdin?.end();
      const unpacked = await tar.exited;
      if (packed.kind === 'exited' && packed.code === NOTHING_THERE) return;
      // 1: a file changed while it was read, or is none that can be kept. The rest is there.
      const isRead = packed.kind === 'exited' && packed.code <= 1;
      if (!isRead) throw said.fault('copying files from', describe(packed));
      if (unpacked.code !== 0) throw said.fault('unpacking what came from', 'tar failed');
    },
  };
}

/** What a job has written is not trusted: no owners, no set-user-id bits, no way out of the folder. */
async function unpackInto(folder: string): Promise<RunningProcess> {
  const args = [
    '--extract',
    '--file',
    '-',
    '--directory',
    folder,
    '--no-same-owner',
    '--no-same-permissions',
  ];
  const tar = await start('tar', args, { stdio: ['pipe', 'ignore', 'pipe'] });
  tar.stdin?.on('error', () => undefined);
  return tar;
}

/** Resolves when more may come; at once when nobody reads any more. */
function taken(stdin: Writable | null, chunk: Buffer): Promise<void> | undefined {
  if (!stdin || stdin.destroyed || stdin.write(chunk)) return undefined;
  return new Promise((resolve) => {
    stdin.once('drain', resolve);
    stdin.once('close', resolve);
  });
}

const isDone = (end: ExecEnd): boolean => end.kind === 'exited' && end.code === 0;

const describe = (end: ExecEnd): string => {
  if (end.kind === 'exited') return `ended with ${end.code}`;
  return end.kind === 'failed' ? end.message : 'the connection broke';
};

const KEPT_BYTES = 2000;

/** The end of what both sides complain about. */
class LastWords {
  #text = '';

  readonly hear = (chunk: Buffer): void => {
    this.#text = (this.#text + chunk.toString('utf8')).slice(-KEPT_BYTES);
  };

  fault(doing: string, how: string): PodsFault {
    const said = this.#text.trim().split('\n').slice(-3).join('\n');
    return new PodsFault('CLUSTER_REFUSED', `${doing} the pod: ${how}${said === '' ? '' : `: ${said}`}`);
  }
}
