// A program for the test of kills: builds without end, each time something new. Arguments: the platform's id, the folder.
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import { openImageStore } from '@updraft/oci';
import { openTestPlatform } from '@updraft/pods/testing';
import { createBuilder } from '../builder.ts';

const [id = '', dir = '', first = '0'] = process.argv.slice(2);
const store = await openImageStore(path.join(dir, 'store'), { clock: systemClock, logger: silentLogger });
const { runtime } = await openTestPlatform({ id, dir: path.join(dir, 'platform') });
await runtime.sweep();
const builder = createBuilder({
  store,
  runtime,
  clock: systemClock,
  logger: silentLogger,
  dir: path.join(dir, 'builder'),
  images: {
    resolve: async (reference) => {
      const image = await store.get(reference);
      if (!image) throw new Error('no such image');
      return { image };
    },
  },
});
await builder.sweep();
process.stdout.write('ready\n');
for (let number = Number(first); ; number += 1) {
  await builder.build({
    context: { kind: 'folder', path: path.join(dir, 'context') },
    dockerfile: 'Dockerfile',
    buildArgs: { N: String(number) },
    cache: true,
    timestampMs: 0,
    onLog: () => undefined,
    tags: [`built:${number}`],
  });
}
