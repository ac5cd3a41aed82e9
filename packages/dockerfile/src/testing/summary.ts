import type { CommandLine, Dockerfile, Instruction, Range, Word } from '../ast.ts';

const place = ({ start, end }: Range) => `${start.line}:${start.column}-${end.line}:${end.column}`;
const shown = (word: Word) => `${word.text} @${place(word.range)}`;

/** A parsed file in a form that a person can check by eye. */
export function summarise(file: Dockerfile) {
  return {
    directives: file.directives.map(({ name, value, range }) => `${name}=${value} @${place(range)}`),
    comments: file.comments.map(({ text, range }) => `${text} @${place(range)}`),
    globalArgs: file.globalArgs.map(instruction),
    stages: file.stages.map((stage) => ({
      name: stage.name ?? null,
      image: shown(stage.from.image),
      instructions: stage.instructions.map(instruction),
    })),
    problems: file.problems.map(
      ({ code, severity, message, range }) => `${severity} ${code} @${place(range)}: ${message}`,
    ),
  };
}

function instruction(node: Instruction): object {
  return {
    [node.keyword]: place(node.range),
    ...(node.flags.length > 0 && {
      flags: node.flags.map(({ name, value, range }) => `${name}=${value ?? ''} @${place(range)}`),
    }),
    ...details(node),
    ...(node.heredocs.length > 0 && {
      heredocs: node.heredocs.map(({ name, content, expand }) => ({ name, content, expand })),
    }),
  };
}

function details(node: Instruction): object {
  if ('command' in node) return { command: node.command ? commandLine(node.command) : null };
  if ('pairs' in node) {
    return { pairs: node.pairs.map(({ name, value }) => [shown(name), value ? shown(value) : null]) };
  }
  if ('sources' in node) {
    return {
      sources: node.sources.map(({ kind, word }) => `${kind} ${shown(word)}`),
      target: shown(node.target),
    };
  }
  if ('words' in node) return { words: node.words.map(shown) };
  if ('instruction' in node) return { instruction: instruction(node.instruction) };
  return 'value' in node ? { value: shown(node.value) } : {};
}

function commandLine(command: CommandLine): string | string[] {
  return command.form === 'shell' ? `${command.text} @${place(command.range)}` : command.words.map(shown);
}
