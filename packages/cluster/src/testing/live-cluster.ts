import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import path from 'node:path';
import { silentLogger, systemClock } from '@updraft/kit';
import type { Logger } from '@updraft/kit';
import type { ContainerConfig } from '@updraft/oci';
import type { Pod, Runtime } from '@updraft/pods';
import { hostToolsMounts, openTestPlatform } from '@updraft/pods/testing';
import type { TestPlatform } from '@updraft/pods/testing';
import { createCluster } from '../cluster.ts';
import type { Cluster, Grant } from '../types.ts';
import { fakeImages } from './fake-images.ts';

/** A cluster with real containers, whose images hold the host's own programs. Needs root. */
export interface LiveCluster {
  readonly cluster: Cluster;
  readonly platform: TestPlatform;
  /** A request to the API as the administrator. */
  api(
    method: string,
    url: string,
    body?: object,
    contentType?: string,
  ): Promise<{ code: number; body: Json }>;
  /** Makes a namespace and waits until pods may be made in it. */
  makeNamespace(name: string): Promise<void>;
  /** A request through the ingress. */
  get(host: string, url?: string): Promise<{ code: number; text: string }>;
  until(what: string, check: () => Promise<boolean> | boolean, timeoutMs?: number): Promise<void>;
  /** The cluster goes down, as with `updraft down`, or dies, and comes up again over the same state. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

// What the API answers is looked at field by field in tests.
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

/** Every container sees the host's programs. */
function withHostTools(runtime: Runtime): Runtime {
  return {
    kind: runtime.kind,
    list: () => runtime.list(),
    sweep: (options) => runtime.sweep(options),
    createPod: async (spec) => podWithHostTools(await runtime.createPod(spec)),
    adopt: async (name) => {
      const adopted = await runtime.adopt(name);
      return adopted && { ...adopted, pod: podWithHostTools(adopted.pod) };
    },
  };
}

const podWithHostTools = (pod: Pod): Pod => ({
  name: pod.name,
  address: pod.address,
  labels: pod.labels,
  remove: () => pod.remove(),
  start: (container, streams) =>
    pod.start({ ...container, mounts: [...hostToolsMounts(), ...(container.mounts ?? [])] }, streams),
});

export interface LiveOptions {
  readonly id?: string;
  readonly dir?: string;
  readonly apiPort?: number;
  readonly grants?: readonly Grant[];
  /** Default: silent. */
  readonly logger?: Logger;
}

export async function startLiveCluster(
  images: Readonly<Record<string, ContainerConfig>>,
  at: LiveOptions = {},
): Promise<LiveCluster> {
  const platform = await openTestPlatform({
    id: at.id ?? randomBytes(3).toString('hex'),
    ...(at.dir === undefined ? {} : { dir: at.dir }),
  });
  // What a killed process has left, as a daemon does it.
  await platform.runtime.sweep();
  const { store, provider } = fakeImages({ present: images });
  const begin = () =>
    createCluster({
      dir: path.join(platform.dir, 'cluster'),
      clock: systemClock,
      logger: at.logger ?? silentLogger,
      runtime: withHostTools(platform.runtime),
      network: platform.network,
      store,
      images: provider,
      apiPort: at.apiPort ?? 0,
      ingressPorts: [0],
      clusterDomain: 'cluster.local',
      grants: at.grants ?? [],
      version: '0.0.0',
    });
  let cluster = await begin().catch(async (error: unknown) => {
    await platform.close();
    throw error;
  });
  const api: LiveCluster['api'] = (method, url, body, contentType) =>
    callApi(cluster, { method, url, body, contentType });
  return {
    get cluster() {
      return cluster;
    },
    platform,
    api,
    makeNamespace: async (name) => {
      await api('POST', '/api/v1/namespaces', { metadata: { name } });
      const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
      await until('a service account', async () => (await api('GET', account)).code === 200);
    },
    get: (host, url = '/') => callIngress(cluster, host, url),
    until,
    restart: async () => {
      await cluster.stop();
      cluster = await begin();
    },
    close: async () => {
      await cluster.stop();
      await platform.close();
    },
  };
}

/** Asks until it is so. */
export async function until(
  what: string,
  check: () => Promise<boolean> | boolean,
  timeoutMs = 20_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (performance.now() < endMs) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`this did not come true: ${what}`);
}

/** A request to the API of a cluster as its administrator. */
export function callApi(
  cluster: Pick<Cluster, 'apiPort' | 'credentials'>,
  call: { method: string; url: string; body?: object | undefined; contentType?: string | undefined },
): Promise<{ code: number; body: Json }> {
  const decode = (data: string) => Buffer.from(data, 'base64').toString();
  const { credentials, apiPort } = cluster;
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: apiPort,
        path: call.url,
        method: call.method,
        ca: decode(credentials.certificateAuthorityData),
        cert: decode(credentials.clientCertificateData),
        key: decode(credentials.clientKeyData),
        headers: { 'content-type': call.contentType ?? 'application/json' },
        agent: false,
      },
      (response) => {
        collect(response, (text) => resolve({ code: response.statusCode ?? 0, body: parse(text) }));
      },
    );
    request.on('error', reject);
    request.end(call.body ? JSON.stringify(call.body) : undefined);
  });
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function callIngress(cluster: Cluster, host: string, url: string): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: cluster.ingressPort,
      path: url,
      headers: { host },
      agent: false,
    } as const;
    const request = httpRequest(options, (response) => {
      collect(response, (text) => resolve({ code: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end();
  });
}

function collect(stream: NodeJS.ReadableStream, done: (text: string) => void): void {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  stream.on('end', () => done(text));
}
