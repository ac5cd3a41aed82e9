import type { ArgInstruction, Dockerfile, FromInstruction, Instruction, Problem, Stage } from './ast.ts';
import { parseInstruction } from './instruction.ts';
import { readLines } from './lines.ts';

/** Reads a Dockerfile. Never throws: everything that is wrong with it is in `problems`. */
export function parseDockerfile(text: string, options: { file?: string } = {}): Dockerfile {
  const rawLines = text.replace(/^\uFEFF/, '').split('\n');
  if (rawLines.at(-1) === '') rawLines.pop();
  const read = readLines(rawLines);
  const parsed = read.logical.map((line) => parseInstruction({ ...line, from: 0, escape: read.escape }));
  const instructions = parsed.flatMap(({ instruction }) => instruction ?? []);
  let problems = [...read.problems, ...parsed.flatMap((each) => each.problems)];
  const cut = cutStages(instructions);
  // A FROM that could not be read must not make everything after it wrong as well.
  const brokenFrom =
    read.logical.length > 0 && problems.some(({ range }) => isFrom(rawLines[range.start.line - 1]));
  if (!brokenFrom) problems = [...problems, ...cut.problems];
  if (read.logical.length === 0) problems.push(emptyFile());
  return {
    file: options.file ?? 'Dockerfile',
    escape: read.escape,
    directives: read.directives,
    comments: read.comments,
    instructions,
    globalArgs: cut.globalArgs,
    stages: cut.stages,
    problems: problems.toSorted((a, b) => a.range.start.line - b.range.start.line),
    lines: rawLines.map((line) => line.replace(/\r$/, '')),
  };
}

function isFrom(line: string | undefined): boolean {
  return /^\s*FROM\s/i.test(line ?? '');
}

interface Cut {
  readonly globalArgs: ArgInstruction[];
  readonly stages: Stage[];
  readonly problems: Problem[];
}

function cutStages(instructions: readonly Instruction[]): Cut {
  const cut: Cut = { globalArgs: [], stages: [], problems: [] };
  let current: Instruction[] | undefined;
  for (const instruction of instructions) {
    if (instruction.keyword === 'FROM') {
      current = [];
      cut.stages.push(newStage(cut.stages.length, instruction, current));
    } else if (current) current.push(instruction);
    else if (instruction.keyword === 'ARG') cut.globalArgs.push(instruction);
    else cut.problems.push(beforeFrom(instruction));
  }
  return cut;
}

function newStage(index: number, from: FromInstruction, instructions: readonly Instruction[]): Stage {
  return { index, name: from.stageName?.text.toLowerCase(), from, instructions };
}

function beforeFrom(instruction: Instruction): Problem {
  return {
    code: 'FROM_MISSING',
    severity: 'error',
    message: `${instruction.keyword} stands before the first FROM; only ARG may`,
    range: instruction.keywordRange,
  };
}

function emptyFile(): Problem {
  const start = { line: 1, column: 1 };
  return {
    code: 'FILE_EMPTY',
    severity: 'error',
    message: 'the file has no instruction',
    range: { start, end: start },
  };
}
