// A program for the test of what a killed runner leaves: jobs one after the other, until it is killed. Its
// arguments: the folder of the state, and the last command of every job. Every job writes its own number into all the files of its cache and artifacts.
import path from 'node:path';
import { openBench } from './bench.ts';

const [dir = '', last = ''] = process.argv.slice(2);
const bench = await openBench({ config: { dir: path.join(dir, 'state') } });
process.stdout.write(`${bench.dir}\n`);
for (let number = 1; ; number += 1) {
  await bench.run(
    {
      script: [
        'mkdir -p deps',
        `i=0; while [ $i -lt 200 ]; do echo ${number} > deps/$i; i=$((i+1)); done`,
        'head -c 3000000 /dev/zero > deps/large',
        last,
      ],
      caches: [
        {
          key: 'k',
          unprotect: true,
          fallbackKeys: [],
          paths: ['deps'],
          untracked: false,
          policy: 'push',
          when: 'on_success',
        },
      ],
      artifacts: {
        paths: ['deps'],
        exclude: [],
        untracked: false,
        name: undefined,
        when: 'always',
        expireInSeconds: 60,
        exposeAs: undefined,
        reports: {},
      },
    },
    { outputDir: path.join(dir, 'output') },
  );
}
