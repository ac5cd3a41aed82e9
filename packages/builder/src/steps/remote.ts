import type { Build } from '../build.ts';
import { BuildFailure } from '../failure.ts';
import { removeFolder } from '../files/merged-root.ts';
import { EVERYTHING, readTree } from '../files/source-tree.ts';
import { checkOut, findCommit } from '../git/repository.ts';
import type { GitReference } from '../git/reference.ts';
import type { CopyFlags } from './copy-flags.ts';
import type { RemoteSource } from './copy-words.ts';
import { openDownload } from './download.ts';
import { placeTree } from './place.ts';
import type { Target } from './place.ts';

/** A source of ADD that is elsewhere. */
export interface Remote {
  /** Equal as long as what it gives is. */
  readonly digest: string;
  /** Gets it when that was not needed before, and puts it where the target says. */
  place(target: Target): Promise<void>;
  close(): Promise<void>;
}

/** @throws BuildFailure when it cannot be got or is not the one that was asked for */
export async function openRemote(build: Build, source: RemoteSource, flags: CopyFlags): Promise<Remote> {
  if (source.kind === 'url')
    return await openDownload(build, source.url, { checksum: flags.checksum, unpack: flags.unpack ?? false });
  return await openRepository(build, source.reference, flags);
}

/** What the source and the flags say together. */
function agreed(asked: GitReference, flags: CopyFlags): { reference: GitReference; keepGitDir: boolean } {
  if (differ(asked.keepGitDir, flags.keepGitDir))
    throw new BuildFailure('--keep-git-dir says something else than the source');
  if (differ(asked.commit, flags.checksum))
    throw new BuildFailure('--checksum says something else than the source');
  const commit = asked.commit ?? flags.checksum;
  return {
    reference: { ...asked, commit, ref: asked.ref ?? commit },
    keepGitDir: asked.keepGitDir ?? flags.keepGitDir ?? false,
  };
}

function differ<T>(one: T | undefined, other: T | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

async function openRepository(build: Build, asked: GitReference, flags: CopyFlags): Promise<Remote> {
  const { reference, keepGitDir } = agreed(asked, flags);
  const tools = { signal: build.signal, sshAgent: build.request.ssh?.['default'], credentials: undefined };
  const found = await findCommit(reference, tools);
  const { store } = build.workshop;
  return {
    digest: [found, reference.folder ?? '', keepGitDir, reference.submodules].join('|'),
    async place(target) {
      const folder = await store.scratch('git');
      try {
        const path = await checkOut(reference, found, { folder, keepGitDir, tools });
        const root = { path, ignore: undefined, owner: 'root' } as const;
        const tree = await readTree(root, '', EVERYTHING, build.workshop);
        await placeTree(tree, target, { build, unpack: undefined });
      } finally {
        await removeFolder(folder);
      }
    },
    close: async () => undefined,
  };
}
