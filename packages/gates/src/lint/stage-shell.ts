import type { Dockerfile } from '@updraft/dockerfile';
import type { Located } from './context.ts';
import { shellPragma } from './pragmas.ts';

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

/**
 * The words of the shell that a RUN is given to: the last SHELL before it in its stage, else what a
 * `# hadolint shell=` comment says (in the stage, or above the first FROM for all), else `/bin/sh -c`.
 */
export function shellAt(dockerfile: Dockerfile, { stage, line }: Located): readonly string[] {
  const candidates = [...pragmas(dockerfile, stage, line), ...instructions(stage, line)];
  const nearest = candidates.toSorted((a, b) => b.line - a.line)[0];
  return nearest?.words ?? DEFAULT_SHELL;
}

interface Candidate {
  readonly line: number;
  readonly words: readonly string[];
}

function instructions(stage: Located['stage'], before: number): Candidate[] {
  return stage.instructions.flatMap(({ instruction, line }) =>
    instruction.keyword === 'SHELL' && line < before
      ? [{ line, words: instruction.words.map(({ text }) => text) }]
      : [],
  );
}

function pragmas(dockerfile: Dockerfile, stage: Located['stage'], before: number): Candidate[] {
  const firstFrom = dockerfile.instructions.find(({ keyword }) => keyword === 'FROM');
  const top = firstFrom?.range.start.line ?? 0;
  return dockerfile.comments.flatMap(({ text, range }) => {
    const shell = shellPragma(text);
    const line = range.start.line;
    const inForce = line < before && (line > stage.line || line < top);
    return shell !== undefined && inForce ? [{ line, words: [shell, '-c'] }] : [];
  });
}

/** The last part of a shell's path, without `.exe`: `bash`, `pwsh`. */
export function shellName(words: readonly string[]): string {
  const path = words[0]?.split(/\s+/)[0] ?? '';
  return (
    path
      .split(/[\\/]/)
      .at(-1)
      ?.toLowerCase()
      .replace(/\.exe$/, '') ?? ''
  );
}

/** PowerShell and cmd speak another language: shell rules do not apply. */
export function isPosixShell(words: readonly string[]): boolean {
  return !['pwsh', 'powershell', 'cmd'].includes(shellName(words));
}
