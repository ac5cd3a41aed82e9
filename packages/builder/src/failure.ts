import type { Dockerfile, Range } from '@updraft/dockerfile';
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

/** Says what `work` failed at when it did not say so itself. */
export async function at<T>(range: Range, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BuildFailure) || error.range) throw error;
    throw new BuildFailure(error.message, range, error.exitCode);
  }
}

/** The outcome of a failure, with the line it happened at. */
export function failedBuild(failure: BuildFailure, file: Dockerfile): FailedBuild {
  const position = failure.range && positionOf(file, failure.range);
  const where = position ? `${position.file}:${position.line}:${position.column}: ` : `${file.file}: `;
  const line = position ? `\n  ${position.line} | ${position.source}` : '';
  return {
    kind: 'failed',
    message: `${where}${failure.message}${line}`,
    position,
    ...(failure.exitCode === undefined ? {} : { exitCode: failure.exitCode }),
  };
}

function positionOf(file: Dockerfile, { start }: Range): BuildPosition {
  return { file: file.file, ...start, source: (file.lines[start.line - 1] ?? '').trimEnd() };
}
