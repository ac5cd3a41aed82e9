import { parseReference } from '@updraft/oci';
import type { Reference } from '@updraft/oci';
import { SUITES } from './recipe.ts';
import type { Recipe, Suite, ToolName } from './recipe.ts';
import { ansibleRecipe } from './recipes/ansible.ts';
import { curlRecipe } from './recipes/curl.ts';
import { nginxRecipe } from './recipes/nginx.ts';
import { nodeRecipe } from './recipes/node.ts';
import { postgresRecipe } from './recipes/postgres.ts';
import { toolRecipe } from './recipes/tools.ts';

/** An image that is made here because the one that was named cannot be pulled. */
export interface StandIn {
  /** What was asked for. */
  readonly reference: string;
  /** Its name in the store; several references may share it. */
  readonly storeName: string;
  /** What it honestly is, for logs and summaries. */
  readonly note: string;
  /** Used even where the real image could be pulled: its program is part of Updraft. */
  readonly always: boolean;
  /** Its program calls the daemon. */
  readonly tools: boolean;
  readonly recipe: Recipe;
}

/** Why there is none. */
export interface NoStandIn {
  readonly refused: string;
}

type Found = Omit<StandIn, 'reference' | 'note' | 'storeName' | 'always' | 'tools'> & {
  readonly what: string;
  readonly store: string;
  readonly tool?: boolean;
  readonly always?: boolean;
};

/** Registries that serve Docker Hub's images, and what stands before the name there. */
const HUBS: Readonly<Record<string, string>> = {
  'docker.io': '',
  'index.docker.io': '',
  'registry.hub.docker.com': '',
  'mirror.gcr.io': '',
  'public.ecr.aws': 'docker/',
};

interface Entry {
  /** Full repository, with the registry unless that is Docker Hub. */
  readonly repository: RegExp;
  readonly shown: string;
  readonly find: (tag: string, repository: string) => Found | NoStandIn;
}

const ENTRIES: readonly Entry[] = [
  { repository: /^library\/debian$/, shown: 'debian', find: debian },
  { repository: /^library\/node$/, shown: 'node', find: node },
  { repository: /^library\/nginx$/, shown: 'nginx', find: (tag) => nginx(tag, false) },
  {
    repository: /^nginxinc\/nginx-unprivileged$/,
    shown: 'nginxinc/nginx-unprivileged',
    find: (tag) => nginx(tag, true),
  },
  { repository: /^(curlimages\/curl|quay\.io\/curl\/curl)$/, shown: 'curlimages/curl', find: curl },
  { repository: /^library\/postgres$/, shown: 'postgres', find: postgres },
  { repository: /(^|\/)[a-z0-9._-]*ansible[a-z0-9._-]*$/, shown: '*ansible*', find: ansible },
  {
    repository: /^gcr\.io\/kaniko-project\/executor$/,
    shown: 'gcr.io/kaniko-project/executor',
    find: () => tool('kaniko'),
  },
  {
    repository: /^((ghcr\.io\/)?hadolint\/hadolint)$/,
    shown: 'hadolint/hadolint',
    find: () => tool('hadolint'),
  },
  {
    repository: /^(aquasec\/trivy|(ghcr\.io|public\.ecr\.aws)\/aquasec(urity)?\/trivy)$/,
    shown: 'aquasec/trivy',
    find: () => tool('trivy'),
  },
  {
    repository: /^library\/alpine$|^alpine\//,
    shown: '',
    find: () => ({ refused: 'Alpine packages cannot be had here; use a Debian based image' }),
  },
];

/** What can be made, as a person writes it. */
export const KNOWN: readonly string[] = ENTRIES.map(({ shown }) => shown).filter((shown) => shown !== '');

/** The stand-in for a name; why there is none when we know the image; undefined for any other. */
export function matchStandIn(name: string): StandIn | NoStandIn | undefined {
  const reference = parse(name);
  if (!reference) return undefined;
  const repository = repositoryOf(reference);
  const entry = ENTRIES.find((candidate) => candidate.repository.test(repository));
  if (!entry) return undefined;
  if (reference.digest !== undefined) {
    return { refused: `${name} is pinned by its digest; whatever is made here would not be that content` };
  }
  const found = entry.find(reference.tag ?? 'latest', repository);
  if ('refused' in found) return found;
  const asked = `${repository.replace(/^library\//, '')}:${reference.tag ?? 'latest'}`;
  return {
    reference: name,
    storeName: `stand-in.localhost/${found.store}`,
    note: found.always ? found.what : `stand-in for ${asked}: ${found.what}`,
    always: found.always ?? false,
    tools: found.tool ?? false,
    recipe: found.recipe,
  };
}

function parse(name: string): Reference | undefined {
  try {
    return parseReference(name);
  } catch {
    return undefined;
  }
}

function repositoryOf({ registry, repository }: Reference): string {
  const prefix = Object.hasOwn(HUBS, registry) ? HUBS[registry] : undefined;
  if (prefix !== undefined && repository.startsWith(prefix)) return repository.slice(prefix.length);
  return `${registry}/${repository}`;
}

const DEBIAN_TAGS: Readonly<Record<string, Suite>> = {
  '12': 'bookworm',
  bookworm: 'bookworm',
  oldstable: 'bookworm',
  '13': 'trixie',
  trixie: 'trixie',
  stable: 'trixie',
  latest: 'trixie',
};

/** `12`, `12.5-slim`, `bookworm-20240101`, `stable-slim`. */
function debian(tag: string): Found | NoStandIn {
  const [first = ''] = tag.split('-');
  const name = first.replace(/^(\d+)\.\d+$/, '$1');
  const suite = Object.hasOwn(DEBIAN_TAGS, name) ? DEBIAN_TAGS[name] : undefined;
  if (!suite)
    return { refused: `of Debian only 12 (bookworm) and 13 (trixie) can be assembled here, not ${tag}` };
  return {
    store: `debian:${suite}`,
    what: `${SUITES[suite].release} assembled from the Debian archive, without documentation and locales`,
    recipe: { kind: 'debian', suite },
  };
}

/** The Debian release a tag names; bookworm when it names none. */
function suiteOf(tag: string): Suite | undefined {
  const other = /(alpine|bullseye|buster|jammy|noble|windows)/.test(tag);
  if (other) return undefined;
  return tag.includes('trixie') ? 'trixie' : 'bookworm';
}

/** Long-term support and newest, as of when this table was last looked at. */
const NODE_ALIASES: Readonly<Record<string, string>> = {
  lts: '24',
  latest: '26',
  current: '26',
  krypton: '24',
  jod: '22',
};

function node(tag: string): Found | NoStandIn {
  const suite = suiteOf(tag);
  if (!suite)
    return { refused: `node:${tag} is made of packages that cannot be had here; use node:24-bookworm-slim` };
  const [first = ''] = tag.split('-');
  const range = NODE_ALIASES[/^(slim|bookworm|trixie)$/.test(first) ? 'latest' : first] ?? first;
  if (!/^\d+(\.\d+){0,2}$/.test(range))
    return { refused: `${tag} names no version of Node that is known here` };
  return {
    store: `node:${range}-${suite}`,
    what: `Node ${range} and npm from the npm registry, on ${SUITES[suite].release}`,
    recipe: nodeRecipe(range, suite),
  };
}

function nginx(tag: string, unprivileged: boolean): Found | NoStandIn {
  if (tag.includes('alpine'))
    return { refused: `nginx:${tag} is made of Alpine packages, which cannot be had here` };
  const suite = suiteOf(tag) ?? 'bookworm';
  return {
    store: `nginx${unprivileged ? '-unprivileged' : ''}:${suite}`,
    what: `nginx as ${SUITES[suite].release} packages it, with the original's paths${unprivileged ? ' and user' : ''}`,
    recipe: nginxRecipe(suite, unprivileged),
  };
}

function curl(): Found {
  return {
    store: 'curl:bookworm',
    what: 'curl as Debian 12 packages it, not on Alpine',
    recipe: curlRecipe(),
  };
}

function postgres(tag: string): Found | NoStandIn {
  if (tag.includes('alpine'))
    return { refused: `postgres:${tag} is made of Alpine packages, which cannot be had here` };
  return {
    store: 'postgres:bookworm',
    what: 'PostgreSQL 15 as Debian 12 packages it',
    recipe: postgresRecipe(),
  };
}

function ansible(): Found {
  return {
    store: 'ansible:bookworm',
    what: 'ansible, ansible-lint and the Kubernetes client as Debian 12 packages them',
    recipe: ansibleRecipe(),
  };
}

const TOOL_NOTES: Readonly<Record<ToolName, string>> = {
  kaniko: "Updraft's own builder behind the command line of Kaniko, which is archived",
  hadolint: "Updraft's own rules behind Hadolint's command line",
  trivy: "Updraft's own scanner behind Trivy's command line",
};

function tool(name: ToolName): Found {
  return {
    store: `tool/${name}:latest`,
    what: TOOL_NOTES[name],
    recipe: toolRecipe(name),
    tool: true,
    always: name === 'kaniko',
  };
}
