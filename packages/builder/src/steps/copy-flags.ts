import type { CopyInstruction, Flag } from '@updraft/dockerfile';
import { BuildFailure } from '../failure.ts';
import type { Scope } from '../scope.ts';

/** The flags of COPY and ADD, variables replaced. */
export interface CopyFlags {
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly parents: boolean;
  /** The layer is made without looking at what is below it, and stays when that changes. */
  readonly link: boolean;
  readonly keepGitDir: boolean | undefined;
  readonly exclude: readonly string[];
  readonly checksum: string | undefined;
  /** ADD only; undefined: archives of the context are unpacked, downloads are not. */
  readonly unpack: boolean | undefined;
}

const CHECKSUM = /^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}|[0-9a-f]{7,64})$/;

export function readCopyFlags({ flags }: CopyInstruction, scope: Scope): CopyFlags {
  const find = (name: string) => flags.find((flag) => flag.name === name);
  const value = (flag: Flag | undefined) =>
    flag?.value === undefined ? undefined : scope.word({ text: flag.value, range: flag.range });
  const checksum = value(find('checksum'));
  if (checksum !== undefined && !CHECKSUM.test(checksum)) {
    const message = `--checksum: ${checksum} is neither sha256: and 64 hex digits nor a commit`;
    throw new BuildFailure(message, find('checksum')?.range);
  }
  return {
    // Which stages a build needs is decided before any variable has a value.
    from: find('from')?.value,
    chown: value(find('chown')) || undefined,
    chmod: value(find('chmod')) || undefined,
    parents: isOn(find('parents')) ?? false,
    // With a mode BuildKit copies as if it were not there, and so the results are the same.
    link: (isOn(find('link')) ?? false) && !value(find('chmod')),
    keepGitDir: isOn(find('keep-git-dir')),
    exclude: flags.filter(({ name }) => name === 'exclude').map((flag) => value(flag) ?? ''),
    checksum,
    unpack: isOn(find('unpack')),
  };
}

function isOn(flag: Flag | undefined): boolean | undefined {
  return flag ? flag.value !== 'false' : undefined;
}
