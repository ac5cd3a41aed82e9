import type { LayerContent, LayerEntry } from './content/entry.ts';
import { DEBIAN_READERS } from './packages/debian.ts';
import type { FileFacts, FileReader } from './packages/facts.ts';
import { findSecrets, mayHoldSecrets } from './secrets/detect.ts';
import type { FoundSecret } from './secrets/detect.ts';
import { mayBeGo, readGoBinary } from './packages/go-binary.ts';
import { LOCK_FILE_READERS } from './packages/lock-files.ts';
import { INSTALLED_READERS, SYSTEM_READERS } from './packages/others.ts';

/** What a layer says and hides: plain data that depends on the layer's content alone, so it is kept by diff id. */
export interface LayerSummary {
  /** Raised when what is read changes; kept summaries of another format are not used. */
  readonly format: number;
  /** Paths that end what lower layers have there and below. */
  readonly hidden: readonly string[];
  /** Folders whose content in lower layers is gone. */
  readonly opaque: readonly string[];
  readonly files: Readonly<Record<string, FileFacts>>;
  /** undefined: nobody looked. */
  readonly secrets: readonly FoundSecret[] | undefined;
}

export const SUMMARY_FORMAT = 4;

/**
 * What counts as there: `installed`, what programs can load (images, root file systems); `declared`, what lock files ask for
 * (projects, where installed copies are only a by-product).
 */
export type Evidence = 'installed' | 'declared';

const READERS: Readonly<Record<Evidence, readonly FileReader[]>> = {
  installed: [...DEBIAN_READERS, ...SYSTEM_READERS, ...INSTALLED_READERS],
  declared: [...DEBIAN_READERS, ...SYSTEM_READERS, ...LOCK_FILE_READERS],
};

export interface SummariseOptions {
  readonly secrets?: boolean;
  /** Default: `installed`. */
  readonly evidence?: Evidence;
}

/** Looks at every member once. Secrets cost reading most files, so they are only looked for when asked. */
export async function summarise(
  content: LayerContent,
  options: SummariseOptions = {},
): Promise<LayerSummary> {
  const evidence = options.evidence ?? 'installed';
  const hidden: string[] = [];
  const opaque: string[] = [];
  const secrets: FoundSecret[] = [];
  const files: Record<string, FileFacts> = Object.create(null) as Record<string, FileFacts>;
  for await (const entry of content) {
    if (entry.kind === 'opaque') opaque.push(entry.path);
    else if (entry.kind === 'file') await readFacts(entry, files, evidence);
    if (hides(entry, files)) hidden.push(entry.path);
    if (options.secrets && mayHoldSecrets(entry))
      secrets.push(...findSecrets(entry.path, await entry.read()));
  }
  return {
    format: SUMMARY_FORMAT,
    hidden,
    opaque,
    files: { ...files },
    secrets: options.secrets ? secrets : undefined,
  };
}

/** Does the entry take away what lower layers say of its path? A program does, also when it has nothing to say itself. */
function hides(
  { kind, path, isExecutable }: LayerEntry,
  files: Readonly<Record<string, FileFacts>>,
): boolean {
  if (kind === 'whiteout' || kind === 'symlink') return true;
  return kind === 'file' && isExecutable && files[path] === undefined;
}

async function readFacts(
  entry: LayerEntry,
  files: Record<string, FileFacts>,
  evidence: Evidence,
): Promise<void> {
  const reader = READERS[evidence].find(({ pattern }) => pattern.test(entry.path));
  if (reader !== undefined) {
    files[entry.path] =
      entry.size > reader.maxBytes ? { kind: 'nothing' } : understand(reader, entry.path, await entry.read());
  } else if (evidence === 'installed' && mayBeGo(entry)) {
    const facts = await readGoBinary(entry);
    if (facts !== undefined) files[entry.path] = facts;
  }
}

function understand(reader: FileReader, path: string, content: Buffer): FileFacts {
  try {
    return reader.read(content.toString('utf8'), path);
  } catch {
    // A broken package.json is no package; what else lies in the image is still looked at.
    return { kind: 'nothing' };
  }
}
