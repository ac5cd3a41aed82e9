import type { ImageRequest, ServiceRequest } from '../pipeline.ts';
import { isText } from '../tree.ts';
import { dockerOptions, jobVariableDefinitions, kubernetesOptions, pullPolicy } from './common.ts';
import type { VariableDefinitions } from './common.ts';
import { filledText, listOf, notNull, record, refuse, report, text } from './readers.ts';
import type { Read, Reader } from './readers.ts';

const entrypoint = listOf(text);

const detailedImage = record(
  {
    name: filledText,
    entrypoint,
    pull_policy: pullPolicy,
    docker: notNull(dockerOptions),
    kubernetes: notNull(kubernetesOptions),
  },
  { required: ['name'] },
);

export const image: Reader<ImageRequest> = (tree, scope) => {
  if (isText(tree)) {
    const name = filledText(tree, scope);
    return name === undefined ? undefined : { name };
  }
  if (tree.kind !== 'map') return refuse(scope, tree, 'the name of an image, or a map with a name');
  const read = detailedImage(tree, scope);
  if (read?.docker?.platform !== undefined) {
    report(
      scope,
      'unsupported-keyword',
      tree.at,
      `${scope.keyword}:docker:platform has no effect here: images are taken for this machine`,
    );
  }
  return read?.name === undefined ? undefined : { name: read.name, ...imageOptions(read) };
};

function imageOptions(read: Read<typeof detailedImage>): Omit<ImageRequest, 'name'> {
  const user = read.docker?.user ?? read.kubernetes?.user;
  return {
    ...(read.entrypoint === undefined ? {} : { entrypoint: read.entrypoint }),
    ...(read.pull_policy === undefined ? {} : { pullPolicy: read.pull_policy }),
    ...(user === undefined ? {} : { user }),
  };
}

const command = listOf(text, { min: 1 });

const commandOrText: Reader<readonly string[]> = (tree, scope) =>
  isText(tree) && tree.value !== '' ? [tree.value] : command(tree, scope);

const detailedService = record(
  {
    name: filledText,
    alias: filledText,
    entrypoint: command,
    command: commandOrText,
    variables: jobVariableDefinitions,
    pull_policy: pullPolicy,
    docker: notNull(dockerOptions),
    kubernetes: notNull(kubernetesOptions),
  },
  { required: ['name'] },
);

const service: Reader<ServiceRequest> = (tree, scope) => {
  if (isText(tree)) return { name: tree.value, aliases: defaultAliases(tree.value), variables: {} };
  if (tree.kind !== 'map') return refuse(scope, tree, 'the name of an image, or a map with a name');
  const read = detailedService(tree, scope);
  if (read?.name === undefined) return undefined;
  const aliases = read.alias?.split(/[\s,]+/).filter(Boolean) ?? [];
  return {
    name: read.name,
    ...imageOptions(read),
    ...(read.command === undefined ? {} : { command: read.command }),
    aliases: [...new Set([...defaultAliases(read.name), ...aliases])],
    variables: plainValues(read.variables),
  };
};

export const services: Reader<readonly ServiceRequest[]> = listOf(service);

/** The host names a service gets from its image: without tag and digest, `/` as `__` and as `-`. */
export function defaultAliases(name: string): readonly string[] {
  const bare = name
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '')
    .replaceAll(/:\d+(?=\/)/g, '');
  return [...new Set([bare.replaceAll('/', '__'), bare.replaceAll('/', '-')])];
}

function plainValues(variables: VariableDefinitions | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries([...(variables ?? [])].map(([key, { value }]) => [key, value]));
}
