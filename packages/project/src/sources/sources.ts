import { changedSince } from '@updraft/git';
import type { Answer, Question } from '@updraft/gitlab-ci';
import { Fault } from '@updraft/kit';
import type { Place } from './place.ts';
import { unavailable } from './place.ts';

/**
 * Looks an answer up; what cannot be had is an answer too. What asks a network is loaded when the first question of
 * its kind comes: most projects have none.
 */
export function createSources(place: Place): (question: Question) => Promise<Answer> {
  return async (question) => {
    try {
      return await answerTo(question, place);
    } catch (error) {
      place.context.signal?.throwIfAborted();
      if (error instanceof Fault) return unavailable(error.message, error.next);
      throw error;
    }
  };
}

async function answerTo(question: Question, place: Place): Promise<Answer> {
  switch (question.kind) {
    case 'changes':
      return changesSource(place, question.compareTo);
    case 'artifact':
      return unavailable(
        `${question.path} is an artifact of the job ${question.job}, which exists only once that job has run`,
      );
    case 'remote':
      return (await import('./remote.ts')).remoteFile(place, question.url, question.maxAgeSeconds);
    case 'template':
      return (await import('./template.ts')).templateFile(place, question.name);
    case 'project':
      return (await import('./project.ts')).projectFile(place, question);
    case 'project-tree':
      return (await import('./project.ts')).projectTree(place, question);
    case 'component':
      return (await import('./component.ts')).componentFile(place, question.address);
  }
}

async function changesSource({ dir, facts, uncommitted }: Place, compareTo: string): Promise<Answer> {
  const changed = await changedSince(dir, facts.sha, compareTo);
  if (changed) return { kind: 'paths', paths: [...new Set([...changed, ...uncommitted])].toSorted() };
  return unavailable(
    `this commit and ${compareTo} have no history in common here`,
    'In a shallow clone: git fetch --unshallow.',
  );
}
