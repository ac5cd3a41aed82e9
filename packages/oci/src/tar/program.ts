import { Fault, start } from '@updraft/kit';
import type { Exit, RunningProcess } from '@updraft/kit';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { OciFault } from '../faults.ts';
import { invalidLayer } from './entry.ts';

const MESSAGE_LIMIT = 4096;

/** Starts GNU tar with pipes; `messages` is what it has printed to standard error so far, at most 4 KiB. */
export async function startTar(
  args: readonly string[],
  pipes: { stdin: 'pipe' | 'ignore'; stdout: 'pipe' | 'ignore' },
): Promise<{ process: RunningProcess; messages: () => string }> {
  const process = await start('tar', args, { stdio: [pipes.stdin, pipes.stdout, 'pipe'] });
  let text = '';
  process.stderr?.on('data', (chunk: Buffer) => {
    if (text.length < MESSAGE_LIMIT) text += chunk.toString('utf8');
  });
  return { process, messages: () => text.slice(0, MESSAGE_LIMIT).trim() };
}

/** Feeds `source` to `tar -x` in `folder`. The stream must have been made safe before (see ToOverlay). */
export async function extract(source: Readable, folder: string): Promise<void> {
  const args = [
    '-x',
    '-f',
    '-',
    '-C',
    folder,
    '--numeric-owner',
    '--same-owner',
    '-p',
    '--delay-directory-restore',
  ];
  const { process, messages } = await startTar([...args, '--xattrs', '--xattrs-include=*'], {
    stdin: 'pipe',
    stdout: 'ignore',
  });
  const stdin = process.stdin;
  if (stdin === null) throw new OciFault('LAYER_UNSUPPORTED', 'tar was started without standard input');
  const [failure, exit] = await Promise.all([
    pipeline(source, stdin).then(
      () => undefined,
      (error: unknown) => error,
    ),
    process.exited,
  ]);
  if (failure instanceof Fault) throw failure;
  if (exit.code !== 0) throw tarFailure(exit, messages(), folder);
  if (failure !== undefined) throw failure;
}

/** What tar's complaint means. */
export function tarFailure(exit: Exit, messages: string, folder: string): Fault {
  if (/No space left on device|Disk quota exceeded/.test(messages)) {
    return new Fault('DISK_FULL', `no space left on the disk while writing ${folder}`, {
      next: 'Free some space, for example with `updraft image prune`, and run again.',
    });
  }
  const how = exit.code === undefined ? `was ended by ${exit.signal}` : `exited with ${exit.code}`;
  return invalidLayer(`tar ${how}: ${messages.split('\n').slice(0, 3).join('; ')}`);
}
