/** `0-2,5` of [0, 1, 2, 5]: how a Job's status writes down indexes. */
export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...new Set(indexes)].toSorted((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const index of sorted) {
    const last = runs.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs.map(([from, to]) => intervalText(from, to)).join(',');
}

/** Two neighbours are written apart, as Kubernetes does. */
function intervalText(from: number, to: number): string {
  if (from === to) return String(from);
  return `${from}${to === from + 1 ? ',' : '-'}${to}`;
}

/** The indexes of such a text below `end`; what is no interval is left out. */
export function parseIndexes(text: string | undefined, end: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    if (from === undefined) continue;
    const last = Math.min(Number(to), end - 1);
    for (let index = Number(from); index <= last; index += 1) indexes.add(index);
  }
  return indexes;
}
