import type { RemoteRefs } from '@updraft/git';
import type { Answer } from '@updraft/gitlab-ci';
import { unavailable } from './place.ts';
import type { Place } from './place.ts';
import { isProjectPath } from './project.ts';
import { byName, findSource, isSource } from './repositories.ts';

/** A component of a CI/CD catalog: `host/group/project/name@version`. */
export async function componentFile(place: Place, address: string): Promise<Answer> {
  const parsed = parseAddress(address);
  if (!parsed) {
    return unavailable(
      `${JSON.stringify(address)} is no address of a component`,
      'It is written as host/group/project/name@version.',
    );
  }
  const { host, project, name, version } = parsed;
  let chosen = version;
  const source = await findSource(place, { host, project, ref: version }, (refs) => {
    const release = chooseRelease(version, refs);
    chosen = release ?? version;
    return byName(chosen)(refs);
  });
  if (!isSource(source)) return source;
  for (const file of [`templates/${name}.yml`, `templates/${name}/template.yml`]) {
    const text = await source.read(file);
    if (text === undefined) continue;
    return {
      kind: 'file',
      text,
      name: `${address}:${file}`,
      project: { path: project, ref: source.ref },
      component: { name, sha: source.sha, version: chosen, reference: version },
    };
  }
  return unavailable(
    `${host}/${project}@${version} has no component ${name}: neither templates/${name}.yml nor templates/${name}/template.yml`,
  );
}

function parseAddress(address: string) {
  const [, host = '', project = '', name = '', version = ''] =
    /^([\w.-]+(?::\d+)?)\/(.+)\/([\w.-]+)@(\S+)$/.exec(address) ?? [];
  return isProjectPath(project) && version !== '' ? { host, project, name, version } : undefined;
}

/** The tag that `~latest`, `1` or `1.2` stands for; undefined when it is no such version, or there is none. */
export function chooseRelease(version: string, refs: Pick<RemoteRefs, 'tags'>): string | undefined {
  const latest = version === '~latest';
  const partial = /^\d+(?:\.\d+)?$/.test(version);
  if (refs.tags.has(version) || (!latest && !partial)) return undefined;
  const wanted = partial ? version.split('.').map(Number) : [];
  const releases = [...refs.tags.keys()].flatMap((tag) => {
    const numbers = /^v?(\d+)\.(\d+)\.(\d+)$/.exec(tag)?.slice(1).map(Number);
    return numbers && wanted.every((number, index) => number === numbers[index]) ? [{ tag, numbers }] : [];
  });
  return releases.toSorted((a, b) => compare(b.numbers, a.numbers))[0]?.tag;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((number, at) => number !== b[at]);
  return index === -1 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}
