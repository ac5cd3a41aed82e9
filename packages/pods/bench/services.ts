// How long Services take to reach the kernel: 200 of them with 10 targets each, at once and one by one.
//   npx tsx packages/pods/bench/services.ts
import { openTestPlatform } from '../src/testing/index.ts';
import type { ServiceForward } from '../src/types.ts';

const SERVICES = 200;
const TARGETS = 10;
const CHANGES = 50;

const platform = await openTestPlatform({ resolvers: [] });
const [base = ''] = platform.network.serviceCidr.split('/');
const prefix = base.split('.').slice(0, 2).join('.');
const third = Number(base.split('.')[2]);

const service = (index: number, shift: number): ServiceForward => ({
  address: `${prefix}.${third + (index >> 7)}.${10 + (index % 128)}`,
  port: 80,
  protocol: 'tcp',
  targets: Array.from({ length: TARGETS }, (_, target) => ({
    address: `10.9.${index}.${1 + ((target + shift) % 250)}`,
    port: 8080,
  })),
});

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

try {
  const all = Array.from({ length: SERVICES }, (_, index) => service(index, 0));
  const first = await timed(() => platform.network.setServices(all));
  const single: number[] = [];
  for (let change = 0; change < CHANGES; change += 1) {
    all[change] = service(change, 1);
    single.push(await timed(() => platform.network.setServices(all)));
  }
  const burst = await timed(async () => {
    const done = Array.from({ length: SERVICES }, (_, index) => {
      all[index] = service(index, 2);
      return platform.network.setServices([...all]);
    });
    await Promise.all(done);
  });
  single.sort((a, b) => a - b);
  console.log(`${SERVICES} services with ${TARGETS} targets each, at once: ${first.toFixed(0)} ms`);
  console.log(`one of them changed: ${single[CHANGES / 2]?.toFixed(1)} ms (median of ${CHANGES})`);
  console.log(`all changed one after the other without waiting: ${burst.toFixed(0)} ms`);
} finally {
  await platform.close();
}
