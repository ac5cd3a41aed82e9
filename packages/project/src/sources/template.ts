import type { Answer } from '@updraft/gitlab-ci';
import { SERVER_VERSION } from '@updraft/gitlab-ci';
import { overrideHint, readBelow, unavailable } from './place.ts';
import type { Place } from './place.ts';
import { fetchKept } from './remote.ts';

/** Name of the override for all of GitLab's templates: a folder. */
const OVERRIDE = 'template';

/**
 * One of GitLab's own templates, of the version that CI_SERVER_VERSION claims. They do not change within a version:
 * fetched once.
 */
export async function templateFile(place: Place, name: string): Promise<Answer> {
  if (!/^[\w .-]+(?:\/[\w .-]+)*$/.test(name) || name.split('/').includes('..')) {
    return unavailable(`${JSON.stringify(name)} is no name of a template`);
  }
  const folder = place.settings.includes.get(OVERRIDE);
  const own = folder === undefined ? undefined : await readBelow(folder, name);
  if (own !== undefined) return { kind: 'file', text: own, name: `template:${name}` };
  const path = name.split('/').map(encodeURIComponent).join('/');
  const server = place.context.templateServer ?? 'https://gitlab.com/gitlab-org/gitlab/-/raw';
  const url = `${server}/v${SERVER_VERSION}-ee/lib/gitlab/ci/templates/${path}`;
  const text = await fetchKept(place, url, Infinity);
  if (typeof text === 'string') return { kind: 'file', text, name: `template:${name}` };
  return unavailable(
    `GitLab's template ${name} cannot be fetched: ${text.why}`,
    overrideHint(OVERRIDE, 'folder/of/templates'),
  );
}
