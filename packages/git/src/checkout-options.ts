import type { CheckoutOptions } from './checkout.ts';

/** What the variables of a job say about its files. */
export interface CheckoutWish {
  readonly options: CheckoutOptions;
  /** What of it cannot be done here. */
  readonly notes: readonly string[];
}

/**
 * Reads those of GitLab's GIT_* variables that say how a commit is checked out; whether it is (GIT_STRATEGY,
 * GIT_CHECKOUT) is for the runner to know. GIT_CLEAN_FLAGS and GIT_FETCH_EXTRA_FLAGS have no effect: every job starts
 * from fresh files, copied from the local clone.
 */
export function checkoutWish(values: Readonly<Record<string, string>>): CheckoutWish {
  const notes: string[] = [];
  const depth = depthOf('GIT_DEPTH', values, notes);
  const lfs = isTrue(values['GIT_LFS_SKIP_SMUDGE']) ? { skipLfs: true } : {};
  return {
    options: { ...(depth === undefined ? {} : { depth }), ...submodulesOf(values, depth, notes), ...lfs },
    notes,
  };
}

function submodulesOf(
  values: Readonly<Record<string, string>>,
  depth: number | undefined,
  notes: string[],
): CheckoutOptions {
  const submodules = submoduleStrategy(values['GIT_SUBMODULE_STRATEGY'] ?? '', notes);
  if ((values['GIT_SUBMODULE_PATHS'] ?? '') !== '') {
    notes.push('GIT_SUBMODULE_PATHS has no effect here: all submodules are checked out');
  }
  const submoduleDepth = depthOf('GIT_SUBMODULE_DEPTH', values, notes) ?? depth;
  if (submodules === 'none') return {};
  return { submodules, ...(submoduleDepth === undefined ? {} : { submoduleDepth }) };
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
