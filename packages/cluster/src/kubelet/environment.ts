import type { Objects } from '../kinds/objects.ts';
import type { Service, ServicePort } from '../kinds/network.ts';
import type { Container, EnvFrom, EnvVar, KeySelector, Pod } from '../kinds/pod.ts';
import { expand } from './expansion.ts';
import { fieldValue, resourceValue } from './fields.ts';
import type { Surroundings } from './fields.ts';
import { configError } from './services.ts';

type Env = Record<string, string>;

const VARIABLE_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

/**
 * The environment of a container: the image's, then Services that are there, then `envFrom`, then `env` with
 * references expanded in order. @throws NotYet when a Secret or ConfigMap it needs is missing.
 */
export function environmentOf(
  objects: Objects,
  pod: Pod,
  container: Container,
  around: Surroundings & { readonly imageEnv: readonly string[] },
): Env {
  const env: Env = { ...serviceLinks(objects, pod), ...parseEnv(around.imageEnv) };
  // Only what the pod itself says can be referred to, beside Services: as upstream.
  const known: Env = serviceLinks(objects, pod);
  for (const source of container.envFrom ?? []) Object.assign(known, fromSource(objects, pod, source));
  for (const variable of container.env ?? []) {
    const value = valueOf({ objects, pod, container, around }, variable, known);
    if (value !== undefined) known[variable.name] = value;
  }
  return Object.assign(env, known);
}

export function parseEnv(lines: readonly string[]): Env {
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf('=');
      return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

interface Scope {
  readonly objects: Objects;
  readonly pod: Pod;
  readonly container: Container;
  readonly around: Surroundings;
}

function valueOf(scope: Scope, variable: EnvVar, known: Env): string | undefined {
  const { valueFrom } = variable;
  if (!valueFrom) return expand(variable.value ?? '', known);
  const { secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef } = valueFrom;
  if (fieldRef) return fieldValue(scope.pod, fieldRef, scope.around);
  if (resourceFieldRef) return resourceValue(scope.pod, scope.container, resourceFieldRef);
  if (secretKeyRef) return keyValue(scope, 'secret', secretKeyRef);
  return configMapKeyRef ? keyValue(scope, 'configmap', configMapKeyRef) : '';
}

function keyValue(
  { objects, pod }: Scope,
  kind: 'secret' | 'configmap',
  reference: KeySelector,
): string | undefined {
  const { name = '', key, optional } = reference;
  const { namespace } = pod.metadata;
  const data = dataOf(objects, kind, namespace, name);
  if (data && Object.hasOwn(data, key)) return data[key];
  if (optional) return undefined;
  if (!data) throw configError(`${kind} "${name}" not found`);
  const place = `${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${namespace}/${name}`;
  throw configError(`couldn't find key ${key} in ${place}`);
}

function fromSource(objects: Objects, pod: Pod, source: EnvFrom): Env {
  const { configMapRef, secretRef, prefix = '' } = source;
  const reference = configMapRef ?? secretRef;
  if (!reference) return {};
  const kind = configMapRef ? 'configmap' : 'secret';
  const data = dataOf(objects, kind, pod.metadata.namespace, reference.name ?? '');
  if (!data && !reference.optional) throw configError(`${kind} "${reference.name}" not found`);
  const named = Object.entries(data ?? {}).map(([key, value]) => [`${prefix}${key}`, value] as const);
  return Object.fromEntries(named.filter(([name]) => VARIABLE_NAME.test(name)));
}

function dataOf(
  objects: Objects,
  kind: 'secret' | 'configmap',
  namespace: string | undefined,
  name: string,
): Env | undefined {
  if (kind === 'configmap') {
    const map = objects.get('configmaps', namespace, name);
    return map && { ...map.data };
  }
  const secret = objects.get('secrets', namespace, name);
  if (!secret) return undefined;
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString('utf8'),
    ]),
  );
}

/** `WEB_SERVICE_HOST` and `WEB_SERVICE_PORT` of the Services there are; that of the API is always among them. */
function serviceLinks(objects: Objects, pod: Pod): Env {
  const api = objects.get('services', 'default', 'kubernetes');
  const links = api ? linksOf(api) : {};
  if (pod.spec.enableServiceLinks === false) return links;
  for (const service of objects.list('services', pod.metadata.namespace))
    Object.assign(links, linksOf(service));
  return links;
}

function linksOf({ metadata, spec }: Service): Env {
  const [first] = spec.ports ?? [];
  if (!spec.clusterIP || spec.clusterIP === 'None' || !first) return {};
  const address = spec.clusterIP;
  const name = variableName(metadata.name);
  const env: Env = { [`${name}_SERVICE_HOST`]: address, [`${name}_SERVICE_PORT`]: String(first.port) };
  env[`${name}_PORT`] = urlOf(address, first);
  for (const port of spec.ports ?? []) {
    if (port.name) env[`${name}_SERVICE_PORT_${variableName(port.name)}`] = String(port.port);
    // The names that linked containers had before there were Services.
    const { port: number, protocol = 'TCP' } = port;
    const prefix = `${name}_PORT_${number}_${protocol}`;
    env[prefix] = urlOf(address, port);
    env[`${prefix}_PROTO`] = protocol.toLowerCase();
    env[`${prefix}_PORT`] = String(number);
    env[`${prefix}_ADDR`] = address;
  }
  return env;
}

const variableName = (name: string) => name.toUpperCase().replaceAll('-', '_');
const urlOf = (address: string, { port, protocol = 'TCP' }: ServicePort) =>
  `${protocol.toLowerCase()}://${address}:${port}`;
