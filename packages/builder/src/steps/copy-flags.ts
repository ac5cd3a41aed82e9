import type { CopyInstruction, Flag } from '@updraft/dockerfile';
import { BuildFailure } from '../failure.ts';
import type { Scope } from '../scope.ts';

/** The flags of COPY and ADD, variables replaced. */
export interface CopyFlags {
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  readonly checksum: string | undefined;
  /** ADD only; undefined: archives of the context are unpacked, downloads are not. */
  readonly unpack: boolean | undefined;
}

export function readCopyFlags({ flags }: CopyInstruction, scope: Scope): CopyFlags {
  const find = (name: string) => flags.find((flag) => flag.name === name);
  const value = (flag: Flag | undefined) =>
    flag?.value === undefined ? undefined : scope.word({ text: flag.value, range: flag.range });
  const checksum = value(find('checksum'));
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum)) {
    throw new BuildFailure(
      `--checksum: ${checksum} is not sha256: and 64 hex digits`,
      find('checksum')?.range,
    );
  }
  if (isOn(find('keep-git-dir')))
    throw new BuildFailure('ADD of Git repositories is not supported', find('keep-git-dir')?.range);
  return {
    // Which stages a build needs is decided before any variable has a value.
    from: find('from')?.value,
    chown: value(find('chown')) || undefined,
    chmod: value(find('chmod')) || undefined,
    parents: isOn(find('parents')) ?? false,
    exclude: flags.filter(({ name }) => name === 'exclude').map((flag) => value(flag) ?? ''),
    checksum,
    unpack: isOn(find('unpack')),
  };
}

function isOn(flag: Flag | undefined): boolean | undefined {
  return flag ? flag.value !== 'false' : undefined;
}
