import { readFile, readdir } from 'node:fs/promises';
import { openDatabase, run, runOrThrow } from '@updraft/kit';

/** What a cluster holds of its machine, by kind: each a list of names. */
export type Remains = Readonly<Record<string, readonly string[]>>;

const lines = (text: string) => text.split('\n').filter(Boolean);

export async function remainsOf(options: { id: string; dir: string; pid: number }): Promise<Remains> {
  const { id, dir, pid } = options;
  const processes = lines((await run('ps', ['-eo', 'args'])).stdout);
  const mounts = lines(await readFile(`/proc/${pid}/mountinfo`, 'utf8'));
  const groups = await run('find', ['/sys/fs/cgroup', '-type', 'd', '-path', `*${id}*`]);
  const files = lines((await run('find', [dir, '-mindepth', '1', '-printf', '%P\n'])).stdout);
  return {
    processes: processes.filter((line) => line.includes(`${dir}/`)),
    mounts: mounts.map((line) => line.split(' ').slice(3, 5).join(' ')).filter((line) => line.includes(dir)),
    links: (await readdir('/sys/class/net')).filter((name) => name.includes(id)),
    namespaces: files.filter((name) => name.startsWith('network/namespaces/')),
    cgroups: lines(groups.stdout),
    files: files.filter((name) => !KEPT_FILES.test(name)),
    rules: await rulesOf(id),
    rows: rowsOf(`${dir}/cluster/cluster.db`),
  };
}

/** A database's own, and layers of empty mount targets: one for each set of mounts, until a start without pods. */
const KEPT_FILES = /\.db-(wal|shm)$|^runc\/targets\//;

async function rulesOf(id: string): Promise<string[]> {
  const tables = await Promise.all(
    ['ip', 'bridge'].map((family) => runOrThrow('nft', ['list', 'table', family, `updraft_${id}`])),
  );
  // What runs out by itself is not kept by anybody.
  return tables
    .flatMap(lines)
    .map((line) => line.replaceAll(/ expires \S+/g, '').replaceAll(/packets \d+ bytes \d+/g, ''));
}

function rowsOf(file: string): string[] {
  const database = openDatabase(file);
  try {
    // Events of what has no namespace outlive it, for an hour.
    const rows = database.all(
      `SELECT resource, namespace, name FROM objects WHERE resource <> 'events' OR namespace <> 'default'`,
    );
    return rows.map(({ resource, namespace, name }) => [resource, namespace, name].join('/'));
  } finally {
    database.close();
  }
}

/** What there is more of now than before: nothing, if all is well. Names are compared without their numbers. */
export function growth(before: Remains, after: Remains): Remains {
  const grown = Object.entries(after).map(([kind, names]): [string, string[]] => {
    const known = new Map<string, number>();
    for (const name of (before[kind] ?? []).map(sortOf)) known.set(name, (known.get(name) ?? 0) + 1);
    const more = names.filter((name) => {
      const left = known.get(sortOf(name)) ?? 0;
      known.set(sortOf(name), left - 1);
      return left <= 0;
    });
    return [kind, more];
  });
  return Object.fromEntries(grown.filter(([, names]) => names.length > 0));
}

/** Devices and namespaces are made ahead, for whichever pod comes: their names say nothing. */
const sortOf = (name: string) =>
  name
    .replaceAll(/\bud[0-9a-f]{6}\w+/g, 'device')
    .replaceAll(/\d+/g, '#')
    .replaceAll(/\s+/g, ' ');
