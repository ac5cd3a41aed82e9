import path from 'node:path';
import { createInterface } from 'node:readline';
import { start } from '@updraft/kit';
import { importRootFsTar, machineArchitecture } from '@updraft/oci';
import type { Image, ImageStore } from '@updraft/oci';
import { proxyOptions, sourceLines } from './apt-sources.ts';
import { StandInFault } from './fault.ts';
import { SUITES } from './recipe.ts';
import type { Suite } from './recipe.ts';

/** Nothing in an image reads these. Licences stay. */
const LEFT_OUT = [
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
];

const APT = [
  'Acquire::Languages "none";',
  'Acquire::GzipIndexes "true";',
  'Apt::AutoRemove::SuggestsImportant "false";',
];

export interface AssembleOptions {
  readonly store: ImageStore;
  /** A folder for the archive while it is made. */
  readonly folder: string;
  readonly onLog: (line: string) => void;
}

/**
 * Assembles a minimal Debian from the archive and makes it an image. The host's name and name servers, which mmdebstrap
 * copies in, are taken out again.
 * @throws StandInFault BASE_FAILED; Fault PROGRAM_MISSING
 */
export async function assembleDebian(
  suite: Suite,
  { store, folder, onLog }: AssembleOptions,
): Promise<Image> {
  const { release, releasedMs } = SUITES[suite];
  const tar = path.join(folder, 'root.tar');
  const args = [
    '--mode=root',
    '--variant=minbase',
    '--include=ca-certificates',
    '--format=tar',
    ...LEFT_OUT.map((option) => `--dpkgopt=${option}`),
    ...[...APT, ...(await proxyOptions())].map((option) => `--aptopt=${option}`),
    '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
    suite,
    tar,
    ...(await sourceLines(suite)),
  ];
  onLog(`assembling ${release} from the Debian archive (half a minute; made once)`);
  await bootstrap(args, folder, { releasedMs, onLog });
  const layer = await importRootFsTar(store, tar);
  const created = new Date(releasedMs).toISOString();
  return await store.putImage(
    {
      created,
      architecture: machineArchitecture(),
      os: 'linux',
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        Cmd: ['bash'],
        Labels: { 'updraft.stand-in': `debian:${suite}` },
      },
      history: [{ created, created_by: `mmdebstrap --variant=minbase ${suite}` }],
    },
    [layer],
  );
}

async function bootstrap(
  args: readonly string[],
  folder: string,
  { releasedMs, onLog }: { releasedMs: number; onLog: (line: string) => void },
): Promise<void> {
  const env = { SOURCE_DATE_EPOCH: String(releasedMs / 1000), TMPDIR: folder };
  const program = await start('mmdebstrap', args, { env, cwd: folder });
  program.stdout?.resume();
  const last: string[] = [];
  if (program.stderr) {
    for await (const line of createInterface({ input: program.stderr })) {
      if (/^[IWE]: /.test(line)) onLog(line);
      last.push(line);
      if (last.length > 8) last.shift();
    }
  }
  const { code } = await program.exited;
  if (code === 0) return;
  throw new StandInFault(
    'BASE_FAILED',
    `Debian could not be assembled: mmdebstrap ended with ${code}: ${last.join('\n')}`,
    {
      next: 'Check that the Debian archive can be reached (`apt-get update`) and run again.',
    },
  );
}
