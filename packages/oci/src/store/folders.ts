import { codeOf } from '@updraft/kit';
import { ALGORITHMS } from '../digest.ts';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { dropUnwritten, thisBoot } from './power-loss.ts';

/**
 * The folders of a store, all on one file system so that things become visible by a rename.
 * `tmp` and `scratch` have a folder for each process, so that what a dead one left can be told from work in progress.
 */
export interface StoreFolders {
  readonly dir: string;
  readonly blobs: string;
  /** Uploads to the registry that are not finished. They outlive the process. */
  readonly uploads: string;
  readonly layers: string;
  /** This process's own. */
  readonly tmp: string;
  readonly scratch: string;
}

/** Makes the folders, and removes what processes that are gone left in `tmp` and `scratch`. */
export async function openFolders(dir: string): Promise<StoreFolders> {
  const root = path.resolve(dir);
  const owner = await processName(process.pid);
  const folders = {
    dir: root,
    blobs: path.join(root, 'blobs'),
    uploads: path.join(root, 'uploads'),
    layers: path.join(root, 'layers'),
    tmp: path.join(root, 'tmp', owner),
    scratch: path.join(root, 'scratch', owner),
  };
  const byAlgorithm = ALGORITHMS.map((algorithm) => path.join(folders.blobs, algorithm));
  for (const folder of [...Object.values(folders), ...byAlgorithm]) await mkdir(folder, { recursive: true });
  // Unpacked images have set-user-id programs; no other user of the machine has business in here.
  await chmod(root, 0o700);
  await sweep(path.join(root, 'tmp'));
  await sweep(path.join(root, 'scratch'));
  await dropUnwritten(folders, await thisBoot());
  return folders;
}

/** A new empty folder for others to work in, readable by all users inside a container. */
export async function makeScratch(folders: StoreFolders, prefix: string): Promise<string> {
  const safe = prefix.replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, 40);
  const folder = await mkdtemp(path.join(folders.scratch, `${safe}-`));
  await chmod(folder, 0o755);
  return folder;
}

/** Process ids come round again; with the time of its start a process has a name that does not. */
async function processName(pid: number): Promise<string> {
  return `${pid}-${(await startTimeOf(pid)) ?? '0'}`;
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie is dead; it is only that nobody has asked how it ended.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

async function sweep(folder: string): Promise<void> {
  const mountPoints = await mountPointsBelow(folder);
  for (const name of await readdir(folder)) {
    const full = path.join(folder, name);
    const pid = Number(name.split('-')[0]);
    if (Number.isInteger(pid) && pid > 0 && (await processName(pid)) === name) continue;
    // Removing through a mount would empty what is mounted, maybe a folder of the user's.
    if (mountPoints.some((point) => point === full || point.startsWith(`${full}/`))) continue;
    // A tar that a killed process has left may write for one moment more.
    await rm(full, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function mountPointsBelow(folder: string): Promise<readonly string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll(/\\([0-7]{3})/g, octal))
    .filter((point) => point.startsWith(`${folder}/`));
}

function octal(_whole: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 8));
}
