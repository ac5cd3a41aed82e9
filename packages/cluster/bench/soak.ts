// A soak: deploy, update, scale, ask, kill, delete, again and again; nothing may be left, nothing may grow. The first
// half kills the cluster's process every tenth round, the second lets one process do all, so that its memory is seen.
//   npx tsx packages/cluster/bench/soak.ts --rounds 200 --lanes 2 --kill-every 10
import { parseArgs } from 'node:util';
import { soak } from '../src/testing/soak/soak.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    lanes: { type: 'string', default: '2' },
    'kill-every': { type: 'string', default: '10' },
  },
});
const half = Math.ceil(Number(values.rounds) / 2);
const shared = { lanes: Number(values.lanes), report: (line: string) => console.log(line) };
const parts = [
  { rounds: half, killEvery: Number(values['kill-every']) },
  { rounds: Number(values.rounds) - half, killEvery: 0 },
];
for (const part of parts.filter(({ rounds }) => rounds > 0)) {
  const { memory, ...result } = await soak({ ...shared, ...part });
  console.log(JSON.stringify(result, null, 2));
  const isBad = [result.failures, result.logged, Object.keys(result.left)].some(({ length }) => length > 0);
  const first = memory.at(1) ?? memory.at(0);
  const growthMb = (memory.at(-1)?.heapMb ?? 0) - (first?.heapMb ?? 0);
  console.log(`heap grew by ${growthMb} MB`);
  if (isBad || (part.killEvery === 0 && growthMb > 10)) process.exitCode = 1;
}
