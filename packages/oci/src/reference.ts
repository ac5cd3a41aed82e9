import { isDigest } from './digest.ts';
import { OciFault } from './faults.ts';
import type { Digest, Reference } from './types.ts';

const DEFAULT_REGISTRY = 'docker.io';
const OFFICIAL = 'library/';
const MAX_NAME_LENGTH = 255;

const PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HOST_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
const PORT = /^[0-9]{1,5}$/;
const IPV6 = /^\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?$/;
const BARE_ID = /^[0-9a-f]{64}$/;

/**
 * Reads an image name as Docker does: `node` is `docker.io/library/node:latest`, and the first part is a registry when
 * it holds a dot or a port, or is `localhost`.
 * @throws OciFault REFERENCE_INVALID that says which part is wrong.
 */
export function parseReference(text: string): Reference {
  const fail = failFor(text);
  if (text === '') fail('it is empty');
  if (BARE_ID.test(text)) fail('64 hex digits alone are an id, not a name');
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : digestPart(text.slice(at + 1), fail);
  const named = at < 0 ? text : text.slice(0, at);
  const { name, tag } = splitTag(named, fail);
  const { registry, path } = splitRegistry(name, fail);
  const official = registry === DEFAULT_REGISTRY && !path.includes('/');
  const repository = official ? OFFICIAL + path : path;
  checkRepository(repository, registry, fail);
  return { registry, repository, tag: tag ?? (digest ? undefined : 'latest'), digest };
}

/** The full name: registry, repository, and tag and digest where there are some. */
export function formatReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${suffixOf(reference)}`;
}

/** The name as people write it: without `docker.io/` and `library/`. Reads back to the same reference. */
export function shortReference(reference: Reference): string {
  if (reference.registry !== DEFAULT_REGISTRY) return formatReference(reference);
  const { repository } = reference;
  const rest = repository.startsWith(OFFICIAL) ? repository.slice(OFFICIAL.length) : repository;
  // `library/a/b` must keep its first part, or it would be read as another repository.
  const short = rest.includes('/') ? repository : rest;
  return short + suffixOf(reference);
}

/** True when the text may stand as a repository inside a registry (`group/project`). */
export function isRepository(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && text.split('/').every((part) => PART.test(part));
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

function suffixOf({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

type Fail = (why: string) => never;

function failFor(text: string): Fail {
  const shown = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  return (why) => {
    throw new OciFault('REFERENCE_INVALID', `${JSON.stringify(shown)} is not an image name: ${why}`, {
      next: 'An image name looks like registry.example.com/group/image:tag, in lower case.',
    });
  };
}

function digestPart(text: string, fail: Fail): Digest {
  if (isDigest(text)) return text;
  return fail('what follows @ is not sha256: and 64 hex digits, nor sha512: and 128');
}

function splitTag(named: string, fail: Fail): { name: string; tag: string | undefined } {
  const colon = named.lastIndexOf(':');
  if (colon <= named.lastIndexOf('/')) return { name: named, tag: undefined };
  const tag = named.slice(colon + 1);
  // `[::1]` has colons, but ends with a bracket and has no path: the repository check names that.
  if (!TAG.test(tag)) fail(`the tag ${JSON.stringify(tag)} is not 1 to 128 letters, digits, '_', '.' or '-'`);
  return { name: named.slice(0, colon), tag };
}

function splitRegistry(name: string, fail: Fail): { registry: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  if (first === '' || !looksLikeHost(first)) return { registry: DEFAULT_REGISTRY, path: name };
  if (!isHost(first)) fail(`${JSON.stringify(first)} is not a host name with an optional port`);
  const registry = first === 'index.docker.io' ? DEFAULT_REGISTRY : first;
  return { registry, path: name.slice(slash + 1) };
}

function looksLikeHost(part: string): boolean {
  return part.includes('.') || part.includes(':') || part === 'localhost' || /[A-Z]/.test(part);
}

function isHost(text: string): boolean {
  if (text.startsWith('[')) return IPV6.test(text);
  const [host = '', port, ...more] = text.split(':');
  if (more.length > 0 || (port !== undefined && !PORT.test(port))) return false;
  return host.split('.').every((label) => HOST_LABEL.test(label));
}

function checkRepository(repository: string, registry: string, fail: Fail): void {
  if (repository === '') fail('it has no repository');
  if (registry.length + 1 + repository.length > MAX_NAME_LENGTH)
    fail(`it is longer than ${MAX_NAME_LENGTH} characters`);
  const wrong = repository.split('/').find((part) => !PART.test(part));
  if (wrong === undefined) return;
  if (wrong === '') fail('it has an empty part between slashes');
  if (/[A-Z]/.test(wrong)) fail(`${JSON.stringify(wrong)} has upper-case letters`);
  fail(
    `${JSON.stringify(wrong)} is not made of lower-case letters and digits, joined by '.', '_', '__' or '-'`,
  );
}
