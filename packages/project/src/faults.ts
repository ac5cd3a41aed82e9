import { Fault } from '@updraft/kit';

/** Every way a project can keep its pipeline from being computed, and what the user can do about it. */
export const codes = {
  SELECTION_INVALID: 'What was asked for contradicts itself.',
  SETTINGS_INVALID: 'A file of variables or settings is not well-formed; the message names file and line.',
  ENDLESS_QUESTIONS: 'Every answer led to another question: the includes of other places have no end.',
} as const;

export type ProjectFaultCode = keyof typeof codes;

/** What the user asked for, or a file of theirs beside the pipeline, is wrong. */
export class ProjectFault extends Fault {
  override readonly name = 'ProjectFault';
  declare readonly code: ProjectFaultCode;

  constructor(code: ProjectFaultCode, message: string, options: { cause?: unknown; next?: string } = {}) {
    super(code, message, options);
  }
}
