import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, Undo } from '@updraft/kit';
import { ensureDefaultRoles } from './api/authorization/bootstrap.ts';
import { ensurePriorityClasses } from './api/admission/policies/priority.ts';
import { CredentialKeeper } from './api/credential-keeper.ts';
import { base64, createCredentials, kubeconfigYaml } from './api/credentials.ts';
import type { Credentials } from './api/credentials.ts';
import type { KubeletPort } from './api/ports.ts';
import { createApiServer } from './api/server.ts';
import type { ApiServer } from './api/server.ts';
import { clusterRoleController } from './controllers/cluster-roles.ts';
import { startControllers } from './controllers/controller.ts';
import type { Controller, ControllerContext, RunningControllers } from './controllers/controller.ts';
import { gracefulDeletion, servedCatalog } from './controllers/deletion.ts';
import { endpointsController } from './controllers/endpoints/endpoints.ts';
import { listeningPorts, loadBalancerController } from './controllers/endpoints/load-balancer.ts';
import { serviceForwardsController } from './controllers/endpoints/service-forwards.ts';
import { eventRecorder, expireEvents } from './controllers/event-recorder.ts';
import { garbageCollector } from './controllers/garbage-collector.ts';
import { ensureSystemNamespaces, namespaceController } from './controllers/namespace.ts';
import { isReady } from './controllers/pods.ts';
import { NetworkPolicies } from './controllers/network-policies/controller.ts';
import { ensureStorageClass, volumeController } from './controllers/volumes.ts';
import { workloadControllers } from './controllers/workloads.ts';
import { clusterZone } from './dns/zone.ts';
import { ClusterFault } from './fault.ts';
import { ensureIngressClasses, ingressController } from './ingress/controller.ts';
import { startIngress } from './ingress/server.ts';
import type { IngressServer } from './ingress/server.ts';
import { typedObjects } from './kinds/objects.ts';
import type { Pod } from './kinds/pod.ts';
import { startKubelet } from './kubelet/kubelet.ts';
import type { Kubelet } from './kubelet/kubelet.ts';
import { machineMetrics } from './metrics/machine.ts';
import type { MetricsPort } from './metrics/usage.ts';
import { keepNode, nodeNameOf } from './kubelet/node-status.ts';
import { apiServiceAddress, publishApi } from './kubernetes-service.ts';
import { scheduler } from './scheduler/scheduler.ts';
import { signingController } from './controllers/signing-requests.ts';
import { openResourceStore } from './store/store.ts';
import type { Cluster, ClusterConfig } from './types.ts';

const LOOPBACK = '127.0.0.1';
/** Connections that were on their way when an endpoint was taken off get this long to arrive. */
const DRAIN_MS = 150;
const LONGEST_DRAIN_MS = 2000;

/**
 * Starts a cluster over the state in `config.dir`, or a new one. Pods that a dead process left running are taken over as
 * they are, those that ended are started anew as their policies say. On failure nothing is left listening.
 * @throws Fault DATABASE_UNUSABLE, ClusterFault PORT_IN_USE, CREDENTIALS_UNUSABLE
 */
export async function createCluster(config: ClusterConfig): Promise<Cluster> {
  const undo = new Undo();
  try {
    await mkdir(config.dir, { recursive: true });
    // Volumes hold what containers write, programs that run as root included; the database holds Secrets.
    await chmod(config.dir, 0o700);
    return await assemble(config, undo);
  } catch (error) {
    await undo.close();
    throw error;
  }
}

async function assemble(config: ClusterConfig, undo: Undo): Promise<Cluster> {
  const { clock, logger, network, dir } = config;
  const nodeName = nodeNameOf();
  const serviceAddress = apiServiceAddress(network.serviceCidr);
  const hosts = [network.gateway, serviceAddress];
  const credentials = await createCredentials(certificatesFolder(config), { clock, hosts });
  const context = openContext(config, nodeName, undo);
  const { objects } = context;
  const late: { kubelet?: Kubelet; controllers?: RunningControllers } = {};
  const metrics = machineMetrics({
    clock,
    readPod: async (pod) => (await late.kubelet?.readings(pod)) ?? [],
  });
  const api = createApiServer({
    store: objects.store,
    kubelet: { ...portTo(() => late.kubelet), metrics },
    credentials,
    serviceCidr: network.serviceCidr,
    clock,
    logger,
    version: config.version,
  });
  undo.add(() => api.close());
  const keeper = keepCredentials(config, { first: credentials, hosts, api }, undo);
  ensureStandards(context);
  const apiPort = await api.listen({ port: config.apiPort, addresses: [LOOPBACK, network.gateway] });
  publishApi(objects, { network, port: apiPort });
  const ingress = await openIngress(config, context, undo);
  await network.openGatewayPorts([apiPort, ingress.port, ingress.tlsPort]);
  undo.add(network.addZone(clusterZone(objects, config.clusterDomain, network)));
  const policies = new NetworkPolicies({ objects, runtime: config.runtime, network });
  await policies.apply();
  late.kubelet = await startKubelet({
    ...context,
    dir,
    events: context.events.as('kubelet'),
    runtime: policies.runtime,
    store: config.store,
    images: config.images,
    tokens: api.tokens,
    clusterDomain: config.clusterDomain,
    grants: new Set(config.grants ?? []),
    nodeName,
    nodeAddress: network.gateway,
    drained: (pod) => drained(context, late.controllers, pod),
  });
  undo.add(() => late.kubelet?.stop());
  // After the kubelet: it takes the readiness of a dead daemon's pods back, so that nobody is sent to them.
  const parts = { metrics, nodeName, credentials, ingress, policies };
  late.controllers = startControllers(
    allControllers({ ...context, webhooks: api.webhooks }, config, parts),
    context,
  );
  undo.add(() => late.controllers?.stop());
  // First of all: nobody waits for a webhook any more.
  undo.add(() => api.webhooks.close());
  undo.add(keepNode({ ...nodeOptions(config, nodeName), objects }));
  undo.add(keepEvents(context));
  return clusterOf({ context, keeper, apiPort, ingress, undo, config });
}

/** What every cluster has from the beginning. */
function ensureStandards(context: ControllerContext): void {
  ensureSystemNamespaces(context);
  ensureDefaultRoles(context.objects.store);
  ensureStorageClass(context);
  ensurePriorityClasses(context.objects);
  ensureIngressClasses(context);
}

const certificatesFolder = ({ dir }: ClusterConfig) => path.join(dir, 'certificates');

function keepCredentials(
  config: ClusterConfig,
  parts: { readonly first: Credentials; readonly hosts: readonly string[]; readonly api: ApiServer },
  undo: Undo,
): CredentialKeeper {
  const { clock, logger } = config;
  const { first, hosts, api } = parts;
  const keeper = new CredentialKeeper(first, {
    clock,
    renew: () => createCredentials(certificatesFolder(config), { clock, hosts, keepsAuthority: true }),
    onRenewed: (fresh) => {
      api.renew(fresh);
      logger.log('info', 'certificates of the cluster were about to end and are new');
    },
    onFault: (error) =>
      logger.log('error', 'certificates of the cluster cannot be made anew', { error: messageOf(error) }),
  });
  undo.add(() => keeper.close());
  return keeper;
}

async function openIngress(
  config: ClusterConfig,
  { objects, clock }: ControllerContext,
  undo: Undo,
): Promise<IngressServer> {
  const ingress = await startIngress({
    objects,
    clock,
    ports: config.ingressPorts,
    tlsPorts: config.ingressTlsPorts ?? [],
    address: config.network.gateway,
    dir: certificatesFolder(config),
  });
  undo.add(() => ingress.close());
  return ingress;
}

const nodeOptions = ({ clock, network, version, runtime }: ClusterConfig, name: string) => ({
  clock,
  name,
  address: network.gateway,
  podCidr: network.podCidr,
  version,
  runtime: runtime.kind,
});

function openContext(config: ClusterConfig, host: string, undo: Undo): ControllerContext {
  const { clock, logger } = config;
  const store = openResourceStore({
    file: path.join(config.dir, 'cluster.db'),
    clock,
    onListenerError: (error) =>
      logger.log('error', 'a watcher of the store failed', { error: messageOf(error) }),
  });
  undo.add(() => store.close());
  const objects = typedObjects(store);
  const events = eventRecorder({ objects, clock, logger, component: 'updraft', host });
  return {
    objects,
    clock,
    logger,
    events,
    deletion: gracefulDeletion(store, clock),
    catalog: servedCatalog(store),
  };
}

function allControllers(
  context: ControllerContext,
  config: ClusterConfig,
  parts: {
    metrics: MetricsPort;
    nodeName: string;
    credentials: Credentials;
    ingress: IngressServer;
    policies: NetworkPolicies;
  },
): Controller[] {
  return [
    namespaceController(context, parts.credentials.ca),
    ...workloadControllers(context, parts.metrics),
    scheduler(context, parts.nodeName),
    endpointsController(context),
    serviceForwardsController(context, config.network, {
      hostPorts: config.grants?.includes('hostNetwork') === true,
    }),
    loadBalancerController(context, { network: config.network, takenPorts: listeningPorts }),
    volumeController(context, path.join(config.dir, 'volumes')),
    ingressController(context, parts.ingress),
    parts.policies.controller(),
    garbageCollector(context),
    clusterRoleController(context),
    signingController(context, parts.credentials),
  ];
}

/** Waits until Services and ingress no longer lead to a pod that is being deleted. */
async function drained(
  context: ControllerContext,
  controllers: RunningControllers | undefined,
  pod: Pod,
): Promise<void> {
  const { clock } = context;
  if (!isReady(pod)) return;
  // The controllers may hear of the deletion after the kubelet.
  await new Promise<void>((resolve) => setImmediate(resolve));
  const patience = new AbortController();
  await Promise.race([
    controllers?.settled('endpoints', 'service-forwards'),
    clock.sleep(LONGEST_DRAIN_MS, patience.signal).catch(() => undefined),
  ]);
  patience.abort();
  await clock.sleep(DRAIN_MS);
}

function portTo(kubelet: () => Kubelet | undefined): KubeletPort {
  const running = () => {
    const found = kubelet();
    if (!found) throw new ClusterFault('NOT_FOUND', 'the kubelet is just starting');
    return found;
  };
  return {
    logs: async (pod, options) => running().logs(pod, options),
    exec: async (pod, options) => running().exec(pod, options),
    attach: async (pod, options) => running().attach(pod, options),
    forward: async (pod, port) => running().forward(pod, port),
  };
}

function keepEvents({ objects, clock }: ControllerContext): () => void {
  let cancel: () => void;
  const sweep = () => {
    cancel = clock.timer(expireEvents(objects, clock), sweep);
  };
  sweep();
  return () => cancel();
}

interface Parts {
  readonly context: ControllerContext;
  readonly keeper: CredentialKeeper;
  readonly apiPort: number;
  readonly ingress: IngressServer;
  readonly undo: Undo;
  readonly config: ClusterConfig;
}

function clusterOf({ context, keeper, apiPort, ingress, undo, config }: Parts): Cluster {
  const { objects } = context;
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    await undo.close();
    await config.network.setServices([]);
  };
  return {
    get credentials() {
      const { ca, client } = keeper.current;
      return {
        certificateAuthorityData: base64(ca),
        clientCertificateData: base64(client.certificate),
        clientKeyData: base64(client.key),
      };
    },
    apiPort,
    ingressPort: ingress.port,
    ingressTlsPort: ingress.tlsPort,
    kubeconfig: (host) => kubeconfigYaml(keeper.current, `https://${host}:${apiPort}`),
    hasNamespace: (name) => objects.get('namespaces', undefined, name) !== undefined,
    counts: () => {
      const pods = objects.list('pods');
      return {
        nodes: objects.list('nodes').length,
        pods: pods.length,
        readyPods: pods.filter(isReady).length,
      };
    },
    stop: () => (stopping ??= stop()),
  };
}
