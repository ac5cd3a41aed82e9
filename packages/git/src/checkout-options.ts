import type { CheckoutOptions } from './checkout.ts';

/** What the variables of a job say about its files. */
export interface CheckoutWish {
  /** `none` and `empty`: the job starts in an empty folder. */
  readonly strategy: 'checkout' | 'none';
  readonly options: CheckoutOptions;
  /** What of it cannot be done here. */
  readonly notes: readonly string[];
}

/**
 * Reads GitLab's GIT_* variables. GIT_CLEAN_FLAGS, GIT_FETCH_EXTRA_FLAGS and GIT_CHECKOUT have no effect: every job
 * starts from fresh files, copied from the local clone.
 */
export function checkoutWish(values: Readonly<Record<string, string>>): CheckoutWish {
  const strategy = values['GIT_STRATEGY'] ?? '';
  const notes: string[] = [];
  if (!['', 'fetch', 'clone', 'none', 'empty'].includes(strategy)) {
    notes.push(`GIT_STRATEGY ${JSON.stringify(strategy)} is unknown: taken as fetch`);
  }
  const submodules = submoduleStrategy(values['GIT_SUBMODULE_STRATEGY'] ?? '', notes);
  if ((values['GIT_SUBMODULE_PATHS'] ?? '') !== '') {
    notes.push('GIT_SUBMODULE_PATHS has no effect here: all submodules are checked out');
  }
  const depth = depthOf('GIT_DEPTH', values, notes);
  const submoduleDepth = depthOf('GIT_SUBMODULE_DEPTH', values, notes) ?? depth;
  return {
    strategy: strategy === 'none' || strategy === 'empty' ? 'none' : 'checkout',
    options: {
      ...(depth === undefined ? {} : { depth }),
      ...(submodules === 'none' ? {} : { submodules }),
      ...(submodules === 'none' || submoduleDepth === undefined ? {} : { submoduleDepth }),
      ...(isTrue(values['GIT_LFS_SKIP_SMUDGE']) ? { skipLfs: true } : {}),
    },
    notes,
  };
}

function submoduleStrategy(value: string, notes: string[]): 'none' | 'normal' | 'recursive' {
  if (value === 'normal' || value === 'recursive') return value;
  if (value !== '' && value !== 'none') {
    notes.push(`GIT_SUBMODULE_STRATEGY ${JSON.stringify(value)} is unknown: taken as none`);
  }
  return 'none';
}

/** 0 means all of the history. */
function depthOf(
  name: string,
  values: Readonly<Record<string, string>>,
  notes: string[],
): number | undefined {
  const value = values[name] ?? '';
  if (value === '') return undefined;
  if (!/^\d{1,9}$/.test(value)) {
    notes.push(`${name} ${JSON.stringify(value)} is no number of commits: taken as all`);
    return undefined;
  }
  return Number(value) || undefined;
}

const isTrue = (value: string | undefined): boolean => /^(?:1|t|true)$/i.test(value ?? '');
