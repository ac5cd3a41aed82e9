import type { EnvironmentRequest } from '../pipeline.ts';
import { isText } from '../tree.ts';
import { durationOrNever } from './common.ts';
import { anything, filledText, mapped, oneOf, record, refuse, report, unsupported } from './readers.ts';
import type { Reader } from './readers.ts';

/** As written: names are expanded when the job is made. */
export type EnvironmentDefinition = Omit<EnvironmentRequest, 'slug' | 'tier'> & {
  readonly tier: EnvironmentRequest['tier'] | undefined;
  /** `auto_stop_in` when it holds variables. */
  readonly autoStopText?: string;
};

/** In seconds, null for `never`, or a text with variables that is read when the job is made. */
const autoStop: Reader<number | null | string> = (tree, scope) =>
  isText(tree) && tree.value.includes('$') ? tree.value : durationOrNever(tree, scope);

const fields = record(
  {
    name: filledText,
    url: filledText,
    action: oneOf('start', 'prepare', 'stop', 'verify', 'access'),
    on_stop: filledText,
    auto_stop_in: autoStop,
    deployment_tier: oneOf('production', 'staging', 'testing', 'development', 'other'),
    kubernetes: unsupported(anything, 'jobs reach the cluster by their variables'),
  },
  { required: ['name'] },
);

const PLAIN: Omit<EnvironmentDefinition, 'name'> = {
  url: undefined,
  action: 'start',
  onStop: undefined,
  autoStopInSeconds: undefined,
  tier: undefined,
};

const detailed: Reader<EnvironmentDefinition> = mapped(fields, (read, tree, scope) => {
  const { name } = read;
  if (name === undefined) return undefined;
  checkName(name, () =>
    report(
      scope,
      'invalid-value',
      tree.at,
      `environment:name ${JSON.stringify(name)} holds a character other than letters, digits, space and - _ / $ { } .`,
    ),
  );
  return {
    name,
    url: read.url,
    action: read.action ?? 'start',
    onStop: read.on_stop,
    ...autoStopOf(read.auto_stop_in),
    tier: read.deployment_tier,
  };
});

function autoStopOf(
  written: number | null | string | undefined,
): Pick<EnvironmentDefinition, 'autoStopInSeconds' | 'autoStopText'> {
  if (typeof written === 'string') return { autoStopInSeconds: undefined, autoStopText: written };
  return { autoStopInSeconds: written ?? undefined };
}

export const environment: Reader<EnvironmentDefinition> = (tree, scope) => {
  if (tree.kind === 'map') return detailed(tree, scope);
  if (!isText(tree) || tree.value === '') return refuse(scope, tree, 'a name, or a map with a name');
  const name = tree.value;
  checkName(name, () => refuse(scope, tree, 'a name of letters, digits, spaces and - _ / $ { } .'));
  return { name, ...PLAIN };
};

const MAX_NAME = 255;

function checkName(name: string, refused: () => void): void {
  if (!/^[a-zA-Z0-9_/${}. -]+$/.test(name) || name.length > MAX_NAME) refused();
}

/** The tier GitLab guesses from an environment's name. */
export function guessTier(name: string): EnvironmentRequest['tier'] {
  if (/dev|review|trunk/i.test(name)) return 'development';
  if (/test|tst|int|acc?e?pt|qa|qc|control|quality/i.test(name)) return 'testing';
  if (/sta?g|mode?l|pre|demo|non/i.test(name)) return 'staging';
  return /pro?d|live/i.test(name) ? 'production' : 'other';
}
