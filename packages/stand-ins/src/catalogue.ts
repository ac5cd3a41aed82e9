import { parseReference } from '@updraft/oci';
import type { Reference } from '@updraft/oci';
import { ansibleRecipe } from './recipes/ansible.ts';
import { curlRecipe } from './recipes/curl.ts';
import { debianSuite } from './recipes/debian.ts';
import { nginxRecipe } from './recipes/nginx.ts';
import { postgresRecipe } from './recipes/postgres.ts';
import { nodeMajor, nodeRecipe } from './recipes/node.ts';
import { toolRecipe } from './recipes/tools.ts';
import type { Recipe, StandIn } from './types.ts';

interface Entry {
  /** For the list that an error shows. */
  readonly label: string;
  matches(repository: string): boolean;
  /** undefined: not for this tag. */
  recipe(reference: Reference): { readonly recipe: Recipe; readonly what: string } | undefined;
  readonly always?: boolean;
  readonly tools?: boolean;
}

const is =
  (...repositories: readonly string[]) =>
  (repository: string): boolean =>
    repositories.includes(repository);

const CATALOGUE: readonly Entry[] = [
  {
    label: 'debian',
    matches: is('docker.io/library/debian'),
    recipe: ({ tag }) => {
      const suite = debianSuite(tag);
      return suite === undefined
        ? undefined
        : { recipe: { kind: 'debian', suite }, what: `Debian ${suite} from Debian’s archive` };
    },
  },
  {
    label: 'node',
    matches: is('docker.io/library/node'),
    recipe: ({ tag }) => {
      const major = nodeMajor(tag);
      return major === undefined
        ? undefined
        : { recipe: nodeRecipe(major), what: `Node ${major} from npm on Debian bookworm` };
    },
  },
  {
    label: 'nginx',
    matches: is('docker.io/library/nginx', 'docker.io/nginxinc/nginx-unprivileged'),
    recipe: ({ repository, tag }) =>
      tag?.includes('alpine')
        ? undefined
        : { recipe: nginxRecipe(repository.endsWith('unprivileged')), what: 'nginx of Debian bookworm' },
  },
  {
    label: 'curlimages/curl',
    matches: is('docker.io/curlimages/curl'),
    recipe: () => ({ recipe: curlRecipe(), what: 'curl of Debian bookworm' }),
  },
  {
    label: 'postgres',
    matches: is('docker.io/library/postgres'),
    recipe: ({ tag }) =>
      tag?.includes('alpine')
        ? undefined
        : { recipe: postgresRecipe(), what: 'PostgreSQL 15 of Debian bookworm' },
  },
  {
    label: 'ansible',
    matches: (repository) => /\/(community-)?ansible(-dev-tools|-lint|-core)?$/.test(repository),
    recipe: () => ({ recipe: ansibleRecipe(), what: 'Ansible and ansible-lint of Debian bookworm' }),
  },
  {
    label: 'gcr.io/kaniko-project/executor',
    matches: (repository) => /(^|\/)kaniko(-project)?(\/|-)executor$/.test(repository),
    recipe: () => ({ recipe: toolRecipe('kaniko'), what: 'Updraft’s own image builder' }),
    always: true,
    tools: true,
  },
  {
    label: 'hadolint/hadolint',
    matches: (repository) => repository.endsWith('/hadolint/hadolint'),
    recipe: () => ({ recipe: toolRecipe('hadolint'), what: 'Updraft’s own Dockerfile lint' }),
    tools: true,
  },
  {
    label: 'aquasec/trivy',
    matches: (repository) => /\/(aquasec|aquasecurity)\/trivy$/.test(repository),
    recipe: () => ({ recipe: toolRecipe('trivy'), what: 'Updraft’s own vulnerability scan' }),
    tools: true,
  },
];

export const LABELS: readonly string[] = CATALOGUE.map((entry) => entry.label);

/** Registries that serve Docker Hub's images, and what stands before the name there. */
const HUBS: Readonly<Record<string, string>> = {
  'index.docker.io': '',
  'registry.hub.docker.com': '',
  'mirror.gcr.io': '',
  'public.ecr.aws': 'docker/',
};

function hubName({ registry, repository }: Reference): string {
  const prefix = Object.hasOwn(HUBS, registry) ? HUBS[registry] : undefined;
  if (prefix === undefined || !repository.startsWith(prefix)) return `${registry}/${repository}`;
  return `docker.io/${repository.slice(prefix.length)}`;
}

const NOT_THE_CONTENT = ', not the content of its digest';

/** As people write it, without the digest that nobody reads. */
const nameOf = (reference: string): string =>
  reference.replace(/^docker\.io\/(library\/)?/, '').replace(/@.*/, '');

/**
 * The stand-in for a reference. Images on Alpine have none: nothing here can make Alpine. Nor has one that is known by a
 * digest alone. With a tag beside the digest its note says that it is not that content.
 */
export function findStandIn(reference: string): StandIn | undefined {
  const parsed = parseReference(reference);
  const entry = CATALOGUE.find((each) => each.matches(hubName(parsed)));
  const made = entry?.recipe(parsed);
  if (!entry || !made) return undefined;
  const { digest, tag } = parsed;
  if (digest !== undefined && tag === undefined && !entry.always) return undefined;
  return {
    reference,
    note: `stand-in for ${nameOf(reference)}: ${made.what}${digest === undefined ? '' : NOT_THE_CONTENT}`,
    always: entry.always ?? false,
    tools: entry.tools ?? false,
    recipe: made.recipe,
  };
}
