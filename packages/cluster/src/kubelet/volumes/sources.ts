import type { DownwardFile, KeyToPath, Pod, ProjectedSource, Volume } from '../../kinds/pod.ts';
import { fieldValue, resourceValue } from '../fields.ts';
import type { Surroundings } from '../fields.ts';
import type { KubeletServices } from '../services.ts';
import type { PayloadFile } from './payload.ts';

const DEFAULT_MODE = 0o644;
export const DEFAULT_TOKEN_SECONDS = 3600;

interface Scope {
  readonly services: KubeletServices;
  readonly pod: Pod;
  readonly around: Surroundings;
}

type Data = ReadonlyMap<string, Buffer>;

/** What a volume lacks; shown in the event FailedMount and tried again. */
export class VolumeMissing extends Error {
  override readonly name: string = 'VolumeMissing';
}

function requireInside(file: string): string {
  const parts = file.split('/');
  if (file === '' || file.startsWith('/') || parts.includes('..')) {
    throw new VolumeMissing(
      `invalid path ${JSON.stringify(file)}: must be relative and may not contain '..'`,
    );
  }
  return file;
}

function chosen(
  data: Data,
  what: string,
  options: { items?: KeyToPath[]; mode: number; optional?: boolean },
): PayloadFile[] {
  const { items, mode, optional } = options;
  if (!items) return [...data].map(([key, content]) => ({ path: requireInside(key), content, mode }));
  return items.flatMap((item) => {
    const content = data.get(item.key);
    if (content) return [{ path: requireInside(item.path), content, mode: item.mode ?? mode }];
    if (optional) return [];
    throw new VolumeMissing(`references non-existent ${what} key: ${item.key}`);
  });
}

const decoded = (data: Readonly<Record<string, string>> = {}) =>
  Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);

type Reference = { name?: string; items?: KeyToPath[]; optional?: boolean };

function configMapFiles(
  { services, pod }: Scope,
  { name = '', items, optional = false }: Reference,
  mode: number,
): PayloadFile[] {
  const map = services.objects.get('configmaps', pod.metadata.namespace, name);
  if (!map && !optional) throw new VolumeMissing(`configmap "${name}" not found`);
  const texts = Object.entries(map?.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
  return chosen(new Map([...texts, ...decoded(map?.binaryData)]), 'config', {
    ...(items ? { items } : {}),
    mode,
    optional,
  });
}

function secretFiles(
  { services, pod }: Scope,
  { name = '', items, optional = false }: Reference,
  mode: number,
): PayloadFile[] {
  const secret = services.objects.get('secrets', pod.metadata.namespace, name);
  if (!secret && !optional) throw new VolumeMissing(`secret "${name}" not found`);
  return chosen(new Map(decoded(secret?.data)), 'secret', { ...(items ? { items } : {}), mode, optional });
}

function downwardFiles(
  { pod, around }: Scope,
  items: readonly DownwardFile[] | undefined,
  mode: number,
): PayloadFile[] {
  const [anyone] = pod.spec.containers;
  return (items ?? []).map((item) => {
    const { fieldRef, resourceFieldRef } = item;
    const resource = resourceFieldRef && anyone ? resourceValue(pod, anyone, resourceFieldRef) : '';
    const text = fieldRef ? fieldValue(pod, fieldRef, around) : resource;
    return { path: requireInside(item.path), content: Buffer.from(text), mode: item.mode ?? mode };
  });
}

function tokenFile(
  scope: Scope,
  source: NonNullable<ProjectedSource['serviceAccountToken']>,
  mode: number,
): PayloadFile {
  const { services, pod } = scope;
  const { namespace = 'default', name, uid } = pod.metadata;
  const issued = services.tokens.issue({
    namespace,
    serviceAccount: pod.spec.serviceAccountName ?? 'default',
    expirationSeconds: source.expirationSeconds ?? DEFAULT_TOKEN_SECONDS,
    ...(source.audience === undefined ? {} : { audiences: [source.audience] }),
    boundTo: { kind: 'Pod', name, uid },
  });
  if (!issued)
    throw new VolumeMissing(`serviceaccount "${pod.spec.serviceAccountName ?? 'default'}" not found`);
  return { path: requireInside(source.path), content: Buffer.from(issued.token), mode };
}

function projectedFiles(
  scope: Scope,
  sources: readonly ProjectedSource[] | undefined,
  mode: number,
): PayloadFile[] {
  return (sources ?? []).flatMap((source) => [
    ...(source.configMap ? configMapFiles(scope, source.configMap, mode) : []),
    ...(source.secret ? secretFiles(scope, source.secret, mode) : []),
    ...(source.downwardAPI ? downwardFiles(scope, source.downwardAPI.items, mode) : []),
    ...(source.serviceAccountToken ? [tokenFile(scope, source.serviceAccountToken, mode)] : []),
  ]);
}

/** The files of a volume whose content comes from the API; undefined for the other sorts. @throws VolumeMissing */
export function payloadOf(scope: Scope, volume: Volume): PayloadFile[] | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return configMapFiles(scope, configMap, configMap.defaultMode ?? DEFAULT_MODE);
  if (secret) {
    const { secretName = '', ...rest } = secret;
    return secretFiles(scope, { name: secretName, ...rest }, secret.defaultMode ?? DEFAULT_MODE);
  }
  if (downwardAPI) return downwardFiles(scope, downwardAPI.items, downwardAPI.defaultMode ?? DEFAULT_MODE);
  if (projected) return projectedFiles(scope, projected.sources, projected.defaultMode ?? DEFAULT_MODE);
  return undefined;
}

/** What volumes show, and may change: a ConfigMap, a Secret, labels and annotations of the pod itself, its tokens. */
export interface Changed {
  readonly resource: 'configmaps' | 'secrets' | 'pods' | 'tokens';
  readonly name: string;
}

/** Whether such a change changes the volume. */
export function dependsOn(volume: Volume, { resource, name }: Changed): boolean {
  const sources = [volume as ProjectedSource & Volume, ...(volume.projected?.sources ?? [])];
  if (resource === 'tokens')
    return sources.some(({ serviceAccountToken }) => serviceAccountToken !== undefined);
  if (resource === 'pods') return sources.some(({ downwardAPI }) => downwardAPI?.items?.some(showsMetadata));
  if (resource === 'configmaps') return sources.some(({ configMap }) => configMap?.name === name);
  return (
    volume.secret?.secretName === name ||
    sources.some(({ secret }) => secret && 'name' in secret && secret.name === name)
  );
}

const showsMetadata = ({ fieldRef }: DownwardFile): boolean =>
  /^metadata\.(labels|annotations)/.test(fieldRef?.fieldPath ?? '');
