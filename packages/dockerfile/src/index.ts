/**
 * The other language: the text of a Dockerfile becomes stages and instructions with positions; shell words and
 * `.dockerignore` patterns become functions. Pure: no disk, no clock, no process.
 * @module
 */
export type {
  ArgInstruction,
  CommandInstruction,
  CommandLine,
  Comment,
  CopyInstruction,
  CopySource,
  Directive,
  Dockerfile,
  Flag,
  FromInstruction,
  HealthcheckInstruction,
  Heredoc,
  Instruction,
  InstructionBase,
  ListInstruction,
  NameValue,
  OnbuildInstruction,
  PairsInstruction,
  Position,
  Problem,
  ProblemCode,
  Range,
  RunInstruction,
  ShellInstruction,
  Stage,
  TextInstruction,
  Word,
} from './ast.ts';
export { parseDockerfile } from './parse.ts';
export { heredocName } from './heredoc.ts';
export { KEYWORDS } from './instruction.ts';
export { expandWords } from './expand.ts';
export type { Expansion, ExpandOptions } from './expand.ts';
export { cleanPath, compileIgnore } from './ignore.ts';
export type { Ignore } from './ignore.ts';
export { compileGlob, isGlob } from './glob.ts';
