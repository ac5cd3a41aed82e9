import { stat } from 'node:fs/promises';
import path from 'node:path';
import { openRemote, readTree, readWorkTree, remoteAddress } from '@updraft/git';
import type { RemoteRefs, RemoteRepository } from '@updraft/git';
import { hostOf, listBelow, overrideHint, readBelow, unavailable } from './place.ts';
import type { Place } from './place.ts';
import type { Answer } from '@updraft/gitlab-ci';

/** Commands that follow each other need not ask for branches and tags each time. */
const REFS_AGE_MS = 60_000;

/** Another project at one version: a folder of this machine, or a commit on a server. */
export interface Source {
  /** For the answer: what later questions about the same state ask for. */
  readonly ref: string;
  readonly sha: string;
  list(): Promise<readonly string[]>;
  read(file: string): Promise<string | undefined>;
}

export interface Wanted {
  /** Undefined: the project's own server. */
  readonly host?: string;
  readonly project: string;
  /** Undefined: the default branch. */
  readonly ref: string | undefined;
}

/** Chooses a commit of the server's branches and tags; undefined when there is none of that name. */
export type Choose = (refs: RemoteRefs) => string | undefined;

/**
 * Finds another project: the user's override first, then its server, asked as the project's own remote is. What is
 * this project at the version at hand is taken of this repository, with what is not committed yet.
 * @throws GitFault REMOTE_UNREACHABLE
 */
export async function findSource(place: Place, wanted: Wanted, choose: Choose): Promise<Source | Answer> {
  const override = overrideFor(place, wanted);
  if (override !== undefined) return localSource(override, wanted);
  if (isAtHand(place, wanted)) return ownSource(place);
  const url = await addressFor(place, wanted);
  const shown = wanted.host === undefined ? wanted.project : `${wanted.host}/${wanted.project}`;
  const hint = overrideHint(wanted.project, '../folder/of/it');
  if (url === undefined)
    return unavailable(`${shown} cannot be found: no remote of this repository leads to it`, hint);
  const remote = repositoryAt(place, url);
  const given = wanted.ref ?? '';
  if (isId(given)) return remoteSource(remote, given, given);
  const refs = await remote.refs();
  if (place.context.now - refs.at > REFS_AGE_MS && !place.context.offline) {
    place.context.onNote?.(
      `${shown} cannot be reached: taken as it was on ${new Date(refs.at).toISOString()}`,
    );
  }
  const sha = choose(refs);
  if (sha !== undefined) return remoteSource(remote, sha, sha);
  return unavailable(`${shown} has no ${wanted.ref === undefined ? 'commit' : `version ${wanted.ref}`}`);
}

export const isSource = (found: Source | Answer): found is Source => !('kind' in found);

/** A tag comes before a branch of the same name. */
export const byName =
  (ref: string | undefined): Choose =>
  (refs) => {
    if (ref === undefined || ref === 'HEAD') return refs.head;
    const name = ref.replace(/^refs\/(?:heads|tags)\//, '');
    return refs.tags.get(name) ?? refs.branches.get(name);
  };

const isId = (ref: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);

function overrideFor({ settings, facts }: Place, { host, project, ref }: Wanted): string | undefined {
  const hosts = host === undefined ? [hostOf(facts)] : [host];
  const names = [project, ...hosts.flatMap((one) => (one === undefined ? [] : [`${one}/${project}`]))];
  const versioned = ref === undefined ? [] : names.map((name) => `${name}@${ref}`);
  const key = [...versioned, ...names].find((name) => settings.includes.has(name));
  return key === undefined ? undefined : settings.includes.get(key);
}

/** A component's own pipeline includes it at `$CI_COMMIT_SHA`; the server may not have that commit yet. */
function isAtHand({ facts }: Place, { host, project, ref }: Wanted): boolean {
  const own = hostOf(facts) ?? NO_SERVER;
  const isOwn = project === facts.projectPath && (host ?? own) === own;
  return isOwn && ref !== undefined && [facts.sha, facts.branch, facts.tag].includes(ref);
}

async function ownSource({ dir, facts: { sha }, uncommitted }: Place): Promise<Source> {
  const files =
    uncommitted.length > 0
      ? await readWorkTree(dir, { sha, changed: uncommitted })
      : await readTree(dir, sha);
  return {
    ref: sha,
    sha,
    read: (file) => Promise.resolve(files.read(file)),
    list: () => Promise.resolve(files.list()),
  };
}

const localSource = (folder: string, { ref }: Wanted): Source => ({
  ref: ref ?? 'HEAD',
  sha: '0'.repeat(40),
  read: (file) => readBelow(folder, file),
  list: async () => (await listBelow(folder)) ?? [],
});

const remoteSource = (remote: RemoteRepository, sha: string, ref: string): Source => ({
  ref,
  sha,
  read: (file) => remote.read(sha, file),
  list: () => remote.list(sha),
});

function repositoryAt({ context }: Place, url: string): RemoteRepository {
  return openRemote({
    cacheDir: path.join(context.home, 'includes/git'),
    url,
    now: context.now,
    maxAgeMs: REFS_AGE_MS,
    ...(context.offline === undefined ? {} : { offline: context.offline }),
    ...(context.environment === undefined ? {} : { environment: forGit(context.environment) }),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
}

/** What ssh, its agent, proxies and credential helpers go by; nothing else of the user's environment. */
function forGit(environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const wanted =
    /^(?:SSH_AUTH_SOCK|GIT_SSH_COMMAND|XDG_CONFIG_HOME|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|GIT_SSL_.*|(?:https?|no|all)_proxy)$/i;
  return Object.fromEntries(
    Object.entries(environment).flatMap(([key, value]) =>
      value !== undefined && wanted.test(key) ? [[key, value]] : [],
    ),
  );
}

/**
 * The address of a project: this project's with the path exchanged when it is on the same server, so that protocol,
 * user and port are the ones that work; else by https.
 */
async function addressFor(place: Place, { host, project }: Wanted): Promise<string | undefined> {
  const own = hostOf(place.facts);
  if (host !== undefined && host !== (own ?? NO_SERVER)) return `https://${host}/${project}.git`;
  const address = await remoteAddress(place.dir);
  if (address === undefined) return undefined;
  const url = /^((?:https?|ssh|git):\/\/[^/]+)\//.exec(address);
  if (url) return `${url[1]}/${project}.git`;
  const short = /^((?:[^@/:]+@)?[^/:]{2,}:)(?!\/\/)/.exec(address);
  return short ? `${short[1]}${project}.git` : besideFile(path.resolve(place.dir, fileOf(address)), project);
}

/** CI_SERVER_FQDN of a project without a server. */
const NO_SERVER = 'localhost';

const fileOf = (address: string): string => address.replace(/^file:\/\//, '');

/** A remote that is a folder: the other project lies below one of the folders above it. */
async function besideFile(folder: string, project: string): Promise<string | undefined> {
  for (let at = path.dirname(folder); ; at = path.dirname(at)) {
    for (const place of [path.join(at, `${project}.git`), path.join(at, project)]) {
      const found = await stat(path.join(place, 'HEAD')).catch(() =>
        stat(path.join(place, '.git')).catch(() => undefined),
      );
      if (found) return place;
    }
    if (path.dirname(at) === at) return undefined;
  }
}
