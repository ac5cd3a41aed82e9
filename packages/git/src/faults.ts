import { Fault, codeOf, messageOf } from '@updraft/kit';

/** Every way a repository can let us down, and what the user can do about it. */
export const codes = {
  NOT_A_REPOSITORY: 'The folder is in no git repository.',
  NO_COMMITS: 'The repository has no commit yet.',
  UNKNOWN_REF: 'There is no branch, tag or commit of that name.',
  GIT_MISSING: 'The program git is not installed.',
  SUBMODULE_MISSING: 'A job asks for submodules that the clone does not have.',
  REMOTE_UNREACHABLE: 'A repository elsewhere cannot be read, and was not fetched before.',
  DUBIOUS_OWNERSHIP: 'The repository belongs to another user, and git refuses to read it.',
  GIT_FAILED: 'git failed for a reason of its own, which the message quotes.',
} as const;

export type GitFaultCode = keyof typeof codes;

/** The repository or git itself failed. */
export class GitFault extends Fault {
  override readonly name = 'GitFault';
  declare readonly code: GitFaultCode;

  constructor(code: GitFaultCode, message: string, options: { cause?: unknown; next?: string } = {}) {
    super(code, message, options);
  }
}

/** What git said on standard error, as a fault. */
export function gitFault(dir: string, what: string, said: string): GitFault {
  if (/dubious ownership/.test(said)) {
    return new GitFault('DUBIOUS_OWNERSHIP', `git refuses to read ${dir}: it belongs to another user`, {
      next: `If you trust it: git config --global --add safe.directory ${dir}`,
    });
  }
  if (/not a git repository/i.test(said)) return notARepository(dir);
  const lines = said.trim().split('\n').slice(-3).join('; ');
  return new GitFault('GIT_FAILED', `git ${what} failed in ${dir}: ${lines || 'it said nothing'}`);
}

export function notARepository(dir: string): GitFault {
  return new GitFault('NOT_A_REPOSITORY', `${dir} is in no git repository`, {
    next: 'Go into a clone, or make one with git init and a first commit.',
  });
}

/** Faults of the process helper in this room's words. */
export function startFault(dir: string, thrown: unknown): unknown {
  const code = codeOf(thrown);
  if (code !== 'PROGRAM_MISSING' && code !== 'PROGRAM_NOT_STARTED') return thrown;
  // A working folder that is gone looks like a program that is gone.
  return new GitFault('GIT_MISSING', `cannot run git in ${dir}: ${messageOf(thrown)}`, {
    cause: thrown,
    next: 'Install git (apt-get install git) and see that the folder exists.',
  });
}
