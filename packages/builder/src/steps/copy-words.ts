import type { CopyInstruction, Word } from '@updraft/dockerfile';
import type { Draft } from '../draft.ts';
import { BuildFailure } from '../failure.ts';
import { hasNames } from '../files/owner.ts';
import { parseGitReference } from '../git/reference.ts';
import type { GitReference } from '../git/reference.ts';
import { readCopyFlags } from './copy-flags.ts';
import type { CopyFlags } from './copy-flags.ts';
import { meansFolder, nameOf } from './names.ts';

/** A source that is not among the files of a context, a stage or an image. */
export type RemoteSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'git'; readonly reference: GitReference };

/** A COPY or ADD whose words have been expanded. */
export interface Copy {
  readonly keyword: 'COPY' | 'ADD';
  readonly flags: CopyFlags;
  readonly paths: readonly { readonly pattern: string; readonly word: Word }[];
  readonly bodies: readonly { readonly name: string; readonly content: string }[];
  readonly remotes: readonly RemoteSource[];
  readonly target: string;
  readonly isFolder: boolean;
  /** As the history shows it. */
  readonly text: string;
}

/** @throws BuildFailure */
export function readCopy(instruction: CopyInstruction, draft: Draft): Copy {
  const { scope, config } = draft;
  const flags = readCopyFlags(instruction, scope);
  const written = scope.word(instruction.target);
  const words = instruction.sources.flatMap(({ kind, word }) =>
    kind === 'path' ? [{ word, text: scope.word(word) }] : [],
  );
  const sources = words.map(({ word, text }) => ({
    word,
    text,
    remote: remoteSource(instruction, word, text),
  }));
  checkFlags(instruction, flags, sources);
  return {
    keyword: instruction.keyword,
    flags,
    paths: sources.flatMap(({ word, text, remote }) => (remote ? [] : [{ pattern: text, word }])),
    bodies: instruction.sources.flatMap((source) => {
      if (source.kind === 'path') return [];
      const { name, expand, content } = source.heredoc;
      return [{ name, content: expand ? scope.body(content, source.word) : content }];
    }),
    remotes: sources.flatMap(({ remote }) => (remote ? [remote] : [])),
    target: nameOf(config.WorkingDir, written),
    // An empty target is the working directory.
    isFolder: written === '' || meansFolder(written),
    text: historyText(instruction, flags, { sources: words.map(({ text }) => text), target: written }),
  };
}

function remoteSource({ keyword }: CopyInstruction, word: Word, text: string): RemoteSource | undefined {
  const reference = at(word, () => parseGitReference(text));
  const remote: RemoteSource | undefined = reference
    ? { kind: 'git', reference }
    : /^https?:\/\//.test(text)
      ? { kind: 'url', url: text }
      : undefined;
  if (remote && keyword === 'COPY')
    throw new BuildFailure('COPY takes no URL and no Git repository; ADD does', word.range);
  return remote;
}

function at<T>(word: Word, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof BuildFailure && !error.range) throw new BuildFailure(error.message, word.range);
    throw error;
  }
}

function checkFlags(
  instruction: CopyInstruction,
  flags: CopyFlags,
  sources: readonly { readonly remote: RemoteSource | undefined }[],
): void {
  const range = (name: string) => instruction.flags.find((flag) => flag.name === name)?.range;
  if (flags.checksum !== undefined) {
    const [only] = sources;
    if (sources.length !== 1 || instruction.sources.length !== 1 || !only?.remote)
      throw new BuildFailure('--checksum needs one source, a URL or a Git repository', range('checksum'));
    const isCommit = !flags.checksum.startsWith('sha');
    if (isCommit !== (only.remote.kind === 'git'))
      throw new BuildFailure('--checksum is a digest for a URL and a commit for Git', range('checksum'));
  }
  if (flags.link && flags.chown !== undefined && hasNames(flags.chown))
    throw new BuildFailure('--link looks at no file below, so --chown needs numbers', range('chown'));
}

function historyText(
  { keyword, sources }: CopyInstruction,
  flags: CopyFlags,
  words: { readonly sources: readonly string[]; readonly target: string },
): string {
  const shown = [
    keyword,
    ...(flags.parents ? ['--parents'] : []),
    ...(flags.chown === undefined ? [] : [`--chown=${flags.chown}`]),
    ...(flags.chmod === undefined ? [] : [`--chmod=${flags.chmod}`]),
    ...words.sources,
    ...sources.flatMap((source) => (source.kind === 'heredoc' ? [`<<${source.heredoc.name}`] : [])),
    words.target,
  ];
  return `${shown.join(' ')} # buildkit`;
}
