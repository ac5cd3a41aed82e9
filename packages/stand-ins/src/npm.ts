import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { run, runOrThrow } from '@updraft/kit';
import { StandInFault } from './fault.ts';

/**
 * Unpacks an npm package into a folder. npm itself fetches it, so that the user's registry and proxy settings hold, and
 * checks it against the registry's integrity hash. @throws StandInFault
 */
export async function fetchPackage(spec: string, into: string): Promise<{ version: string }> {
  await mkdir(into, { recursive: true });
  const temporary = await mkdtemp(`${into}-`);
  try {
    const result = await run(
      'npm',
      ['pack', spec, '--json', '--ignore-scripts', '--pack-destination', temporary],
      {
        cwd: temporary,
      },
    );
    const [packed] =
      result.code === 0 ? (JSON.parse(result.stdout) as { filename: string; version: string }[]) : [];
    if (!packed) throw notFetched(spec, result.stderr);
    const file = path.join(temporary, path.basename(packed.filename));
    const args = [
      '--extract',
      '--gzip',
      '--file',
      file,
      '--directory',
      into,
      '--strip-components=1',
      '--no-same-owner',
    ];
    await runOrThrow('tar', args);
    return { version: packed.version };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const notFetched = (spec: string, stderr: string): StandInFault =>
  new StandInFault('IMAGE_STAND_IN_FAILED', `npm could not fetch ${spec}: ${lastError(stderr)}`, {
    next: 'Check that the npm registry can be reached: npm ping',
  });

const lastError = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => line.startsWith('npm error'))
    .slice(0, 2)
    .join(' ') || stderr.trim();
