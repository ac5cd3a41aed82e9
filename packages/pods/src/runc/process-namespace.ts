import { open } from 'node:fs/promises';
import { codeOf, readTextIfPresent } from '@updraft/kit';
import { PodsFault } from '../fault.ts';

/** A process namespace that stays what it is, whatever becomes of its processes, until it is released. */
export interface HeldNamespace {
  readonly path: string;
  release(): Promise<void>;
}

/**
 * The process namespace of a container, by its first process. It is held open: once that process has ended, its number may
 * be that of any process of the host when runc gets to look at it.
 * @param group what the control group of the container, and of no other, begins with
 * @throws PodsFault GONE
 */
export async function holdProcesses(pid: number | undefined, group: string): Promise<HeldNamespace> {
  const gone = () => new PodsFault('GONE', 'the container whose processes are to be shared is not running');
  const file = await open(`/proc/${pid ?? 'none'}/ns/pid`).catch((error: unknown) => {
    throw codeOf(error) === 'ENOENT' ? gone() : error;
  });
  const release = () => file.close();
  // Asked after it was opened: what still is the container's was so then.
  const groups = await readTextIfPresent(`/proc/${pid}/cgroup`).catch(() => undefined);
  if (groups?.includes(group)) return { path: `/proc/${process.pid}/fd/${file.fd}`, release };
  await release();
  throw gone();
}
