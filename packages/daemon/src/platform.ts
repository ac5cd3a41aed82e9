import { createServer } from 'node:http';
import path from 'node:path';
import { Emitter, Undo, systemClock } from '@updraft/kit';
import type { Clock, Logger } from '@updraft/kit';
import { createBuilder } from '@updraft/builder';
import type { Builder, ResolveOptions } from '@updraft/builder';
import { createCluster } from '@updraft/cluster';
import type { Cluster } from '@updraft/cluster';
import { VERSION } from '@updraft/control';
import { createRegistry, openImageStore } from '@updraft/oci';
import type { Image, LocalImageStore } from '@updraft/oci';
import { createHostRuntime, createNetwork, createRuncRuntime } from '@updraft/pods';
import type { BridgeNetwork, Runtime } from '@updraft/pods';
import { createRunner } from '@updraft/runner';
import type { Runner } from '@updraft/runner';
import { createStandIns } from '@updraft/stand-ins';
import { createCheckouts } from './checkouts.ts';
import { OtherClusters } from './clusters/other-clusters.ts';
import type { ClusterChoice } from './clusters/place.ts';
import type { DaemonConfig } from './config.ts';
import { localhostZone } from './dns.ts';
import { RegistryAccess } from './images/access.ts';
import { clusterImages, jobImages } from './images/ports.ts';
import { ImageFinder } from './images/source.ts';
import type { Progress } from './images/source.ts';
import { listenTogether } from './listen.ts';
import { lastPorts, rememberPorts } from './ports.ts';
import type { Ports } from './ports.ts';
import { createChildPipelines } from './runs/children.ts';
import { platformVariables } from './runs/variables.ts';
import type { PlatformAddresses } from './runs/variables.ts';
import { registrySecrets } from './secrets.ts';
import type { RegistrySecrets } from './secrets.ts';
import { createToolHost } from './tools.ts';
import { trusting } from './trust.ts';

/** Everything one machine offers, composed: the only place where a concrete class meets another. */
export interface Platform {
  readonly config: DaemonConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly startedAt: number;
  readonly store: LocalImageStore;
  readonly images: ImageFinder;
  /** Slow work that is no job, for whoever watches a run. */
  readonly progress: Emitter<Progress>;
  readonly builder: Builder;
  readonly cluster: Cluster;
  readonly runner: Runner;
  readonly addresses: PlatformAddresses;
  /** Clusters that runs are pointed at instead of the embedded one. */
  readonly clusters: OtherClusters;
  readonly choice: ClusterChoice;
  /** Cancels what runs, ends every pod and takes away network and rules. State stays. */
  stop(): Promise<void>;
}

interface Base {
  readonly config: DaemonConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly store: LocalImageStore;
  readonly network: BridgeNetwork;
  readonly runtime: Runtime;
  /** For jobs and builds, which fetch from the network. */
  readonly trustingRuntime: Runtime;
  readonly secrets: RegistrySecrets;
  readonly last: Ports | undefined;
  /** `host:port` in image names. */
  readonly registryHost: string;
}

const HTTP_PORT = 80;
const HTTPS_PORT = 443;

export async function createPlatform(config: DaemonConfig, logger: Logger): Promise<Platform> {
  const undo = new Undo();
  try {
    const base = await createBase(config, logger, undo);
    return await compose(base, undo);
  } catch (error) {
    await undo
      .close()
      .catch((failure: unknown) => logger.log('error', 'undoing a failed start', { failure }));
    throw error;
  }
}

async function createBase(config: DaemonConfig, logger: Logger, undo: Undo): Promise<Base> {
  const clock = systemClock;
  const { id, home } = config;
  const [store, network, secrets, last] = await Promise.all([
    openImageStore(path.join(home, 'images'), { clock, logger }),
    createNetwork({ id, dir: path.join(home, 'network'), clock, logger }),
    registrySecrets(home),
    lastPorts(home),
  ]);
  undo.add(() => network.remove());
  const runtime = await createRuncRuntime({ id, dir: path.join(home, 'pods'), network, clock, logger });
  const { removed } = await runtime.sweep();
  if (removed.length > 0) logger.log('info', 'swept what a dead daemon left', { removed });
  undo.add(() => removePods(runtime));
  undo.add(() => store.close());
  network.addZone(localhostZone(network.gateway));
  const registryHost = await serveRegistry({ config, logger, store, network, secrets, last }, undo);
  const trustingRuntime = trusting(runtime, config.trust);
  return { config, logger, clock, store, network, runtime, trustingRuntime, secrets, registryHost, last };
}

async function removePods(runtime: Runtime): Promise<void> {
  await Promise.all(runtime.list().map((pod) => pod.remove()));
  await runtime.sweep();
}

/** The registry on loopback and on the bridge, one port. @returns its name in image references */
async function serveRegistry(
  parts: Pick<Base, 'config' | 'logger' | 'store' | 'network' | 'secrets' | 'last'>,
  undo: Undo,
): Promise<string> {
  const { config, store, network, secrets, logger, last } = parts;
  let handler: ReturnType<typeof createRegistry> | undefined;
  const { port, servers } = await listenTogether(
    ['127.0.0.1', network.gateway],
    [...(last ? [last.registry] : []), config.registryPort, 0],
    // A large layer over a slow line may take longer than Node's five minutes.
    () => createServer({ requestTimeout: 0 }, (request, response) => handler?.(request, response)),
  );
  undo.add(() => {
    for (const server of servers) server.close();
  });
  await network.openGatewayPorts([port]);
  const host = `registry.${config.domain}:${port}`;
  for (const address of ['127.0.0.1', 'localhost', network.gateway])
    store.addAddress(`${address}:${port}`, host);
  handler = createRegistry({ store, host, logger, authenticate: registryAccess(secrets) });
  return host;
}

const registryAccess = (secrets: RegistrySecrets) => (username: string, password: string) => {
  if (username === secrets.pushUser && password === secrets.pushPassword) return { allow: () => true };
  if (username === secrets.pullUser && password === secrets.pullPassword) {
    return { allow: (_repository: string, action: string) => action === 'pull' };
  }
  return undefined;
};

async function compose(base: Base, undo: Undo): Promise<Platform> {
  const { config, clock, logger, store } = base;
  const { builder, images, progress, access } = composeImages(base);
  await builder.sweep();
  undo.add(() => builder.close());
  const cluster = await composeCluster(base, images);
  undo.add(() => cluster.stop());
  await rememberPorts(config.home, {
    registry: Number(base.registryHost.split(':')[1]),
    api: cluster.apiPort,
    ingress: cluster.ingressPort,
    ingressTls: cluster.ingressTlsPort,
  });
  const addresses = addressesOf(base, cluster);
  const context = { home: config.home, offline: config.offline };
  const { id, home } = config;
  const clusters = new OtherClusters({ id, home, clock, logger, env: process.env });
  // Such a cluster may not answer for long; what it has is nobody's meanwhile.
  void clusters.sweep();
  undo.add(() => clusters.close());
  const runner = await createRunner({
    dir: path.join(config.home, 'runner'),
    clock,
    logger,
    runtime: base.trustingRuntime,
    hostRuntime: createHostRuntime({ clock }),
    images: jobImages(images, store),
    tools: createToolHost({ ...base, builder, images }),
    clusters,
    checkouts: createCheckouts(path.join(config.home, 'checkouts')),
    children: createChildPipelines(clock, context),
    slots: config.slots,
    gatewayPorts: [...new Set([cluster.ingressPort, cluster.ingressTlsPort])],
  });
  undo.add(() => stopRuns(runner));
  return {
    config,
    clock,
    logger,
    startedAt: clock.now(),
    store,
    images,
    progress,
    builder,
    cluster,
    runner,
    addresses,
    clusters,
    choice: {
      variablesFor: (projectPath) => platformVariables(addresses, projectPath),
      ownRegistry: base.registryHost,
      login: async (registry) => (await access.to(registry)).credentials,
    },
    stop: () => undo.close(),
  };
}

/** Builder and finder know each other: FROM asks for images, and stand-ins are built. */
function composeImages(
  base: Base,
): Pick<Platform, 'builder' | 'images' | 'progress'> & { access: RegistryAccess } {
  const { config, clock, logger, store } = base;
  let images: ImageFinder | undefined;
  const builder = createBuilder({
    store,
    runtime: base.trustingRuntime,
    clock,
    logger,
    dir: path.join(config.home, 'builder'),
    images: { resolve: (name, options) => findForBuild(images, name, options) },
  });
  const standIns = createStandIns({
    store,
    builder,
    clock,
    dir: path.join(config.home, 'stand-ins'),
    toolsDir: path.join(import.meta.dirname, 'tools'),
  });
  const progress = new Emitter<Progress>();
  const access = new RegistryAccess(config, process.env);
  images = new ImageFinder({ store, standIns, clock, registryHost: base.registryHost, progress, access });
  return { builder, images, progress, access };
}

function composeCluster(base: Base, images: ImageFinder): Promise<Cluster> {
  const { config, clock, logger, runtime, network, store, secrets, registryHost, last } = base;
  return createCluster({
    dir: path.join(config.home, 'cluster'),
    clock,
    logger: logger.with({ part: 'cluster' }),
    runtime,
    network,
    store,
    images: clusterImages({ finder: images, store }, registryHost, registryAccess(secrets)),
    apiPort: last?.api ?? config.apiPort,
    ingressPorts:
      config.ingressPortDemanded || !last ? config.ingressPorts : [last.ingress, ...config.ingressPorts],
    ingressTlsPorts: [...(last?.ingressTls ? [last.ingressTls] : []), ...config.ingressTlsPorts],
    clusterDomain: 'cluster.local',
    grants: config.grants,
    version: VERSION,
  });
}

async function findForBuild(
  images: ImageFinder | undefined,
  name: string,
  options: ResolveOptions,
): Promise<{ image: Image; note?: string }> {
  const found = await images?.find(name, { policy: 'if-not-present', credentials: undefined, ...options });
  if (!found) throw new Error('the platform is not composed yet');
  return { image: found.image, ...(found.notes[0] === undefined ? {} : { note: found.notes[0] }) };
}

function addressesOf(base: Base, cluster: Cluster): PlatformAddresses {
  const { config, secrets, registryHost } = base;
  return {
    registry: registryHost,
    registryUser: secrets.pushUser,
    registryPassword: secrets.pushPassword,
    deployUser: secrets.pullUser,
    deployPassword: secrets.pullPassword,
    kubeDomain: isStandard(cluster) ? config.domain : `${config.domain}:${cluster.ingressPort}`,
    clusterDomain: `${base.network.gateway}:${cluster.apiPort}`,
    ...cluster.credentials,
  };
}

/** The ingress's one port understands both schemes: a URL that names it is right with either. */
const isStandard = ({ ingressPort, ingressTlsPort }: Cluster) =>
  ingressPort === HTTP_PORT && ingressTlsPort === HTTPS_PORT;

async function stopRuns(runner: Runner): Promise<void> {
  const active = runner.active();
  for (const run of active) run.cancel();
  await Promise.all(active.map((run) => run.finished));
  runner.close();
}
