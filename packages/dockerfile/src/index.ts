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
