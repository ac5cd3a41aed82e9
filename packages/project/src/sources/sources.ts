import { GitFault, changedSince } from '@updraft/git';
import type { Answer, CommitFacts, Question } from '@updraft/gitlab-ci';
import type { ProjectContext } from '../pipeline.ts';
import type { ProjectSettings } from '../settings.ts';

/** What every source needs to know. */
export interface Place {
  readonly dir: string;
  readonly facts: CommitFacts;
  readonly settings: ProjectSettings;
  readonly uncommitted: readonly string[];
  readonly context: ProjectContext;
}

/** Looks an answer up; what cannot be had is an answer too, never thrown. */
export function createSources(place: Place): (question: Question) => Promise<Answer> {
  return (question) => {
    switch (question.kind) {
      case 'changes':
        return changesSource(place, question.compareTo);
      case 'artifact':
        return Promise.resolve({
          kind: 'unavailable',
          message: `${question.path} is an artifact of the job ${question.job}, which exists only once that job has run`,
        });
      default:
        return Promise.resolve({ kind: 'unavailable', message: `a ${question.kind} cannot be fetched` });
    }
  };
}

async function changesSource({ dir, facts, uncommitted }: Place, compareTo: string): Promise<Answer> {
  try {
    const changed = await changedSince(dir, facts.sha, compareTo);
    if (changed) return { kind: 'paths', paths: [...new Set([...changed, ...uncommitted])].toSorted() };
    return {
      kind: 'unavailable',
      message: `this commit and ${compareTo} have no history in common here`,
      next: 'In a shallow clone: git fetch --unshallow.',
    };
  } catch (error) {
    if (!(error instanceof GitFault)) throw error;
    const next = error.next === undefined ? {} : { next: error.next };
    return { kind: 'unavailable', message: error.message, ...next };
  }
}
