import { codeOf, messageOf } from '@updraft/kit';
import type { Dockerfile, Problem, Range } from '@updraft/dockerfile';
import type { BuildPosition, FailedBuild } from './types.ts';

/** Ends a build that the Dockerfile, the context or a command is to blame for; `build` turns it into its outcome. */
export class BuildFailure extends Error {
  readonly range: Range | undefined;
  readonly exitCode: number | undefined;

  constructor(message: string, range?: Range, exitCode?: number) {
    super(message);
    this.range = range;
    this.exitCode = exitCode;
  }
}

/** A file with mistakes in it, all of which are told. */
export class WrongFile extends BuildFailure {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems[0]?.message ?? 'the file is wrong', problems[0]?.range);
    this.problems = problems;
  }
}

/** Says what `work` failed at when it did not say so itself. */
export async function at<T>(range: Range, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = error instanceof BuildFailure ? error : impossibleName(error);
    if (!failure || failure.range) throw error;
    throw new BuildFailure(failure.message, range, failure.exitCode);
  }
}

/** No machine is to blame for a name that no file can have. */
function impossibleName(error: unknown): BuildFailure | undefined {
  if (codeOf(error) === 'ENAMETOOLONG')
    return new BuildFailure('a name in it is longer than a file’s can be');
  const holdsNul = codeOf(error) === 'ERR_INVALID_ARG_VALUE' && messageOf(error).includes('null bytes');
  return holdsNul ? new BuildFailure('a name in it holds a NUL character') : undefined;
}

/** More mistakes than this help nobody. */
const MOST_SHOWN = 20;

/** The outcome of a failure, with the line it happened at. */
export function failedBuild(failure: BuildFailure, file: Dockerfile): FailedBuild {
  const wrong = failure instanceof WrongFile ? failure.problems : [failure];
  const left = wrong.length - MOST_SHOWN;
  return {
    kind: 'failed',
    message: [
      ...wrong.slice(0, MOST_SHOWN).map((each) => sentence(each, file)),
      ...(left > 0 ? [`and ${left} more`] : []),
    ].join('\n'),
    position: failure.range && positionOf(file, failure.range),
    ...(failure.exitCode === undefined ? {} : { exitCode: failure.exitCode }),
  };
}

function sentence({ message, range }: Pick<BuildFailure, 'message' | 'range'>, file: Dockerfile): string {
  const position = range && positionOf(file, range);
  if (!position) return `${file.file}: ${message}`;
  return `${position.file}:${position.line}:${position.column}: ${message}\n  ${position.line} | ${position.source}`;
}

function positionOf(file: Dockerfile, { start }: Range): BuildPosition {
  return { file: file.file, ...start, source: (file.lines[start.line - 1] ?? '').trimEnd() };
}
