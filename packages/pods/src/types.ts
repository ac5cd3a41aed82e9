import type { Readable, Writable } from 'node:stream';

/** CPU and memory as Kubernetes means them, already numbers. */
export interface Resources {
  readonly memoryBytes?: number;
  /** 500 = half a core. */
  readonly cpuMillis?: number;
  /** cgroup pids.max. */
  readonly processes?: number;
}

/** Something that appears inside a container. `target` is absolute inside it and is made when missing. */
export type Mount =
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly sizeBytes?: number; readonly mode?: number }
  /** An overlay over folders of the host; what is written lands in `upper`, which stays when the container is gone. */
  | {
      readonly kind: 'overlay';
      readonly lower: readonly string[];
      readonly upper: string;
      readonly target: string;
    };

export interface RootFs {
  /** Folders, top layer first (see ImageStore.layerFolders). Empty: a bare root (`FROM scratch`). */
  readonly layers: readonly string[];
  /**
   * Where writes land. Given: the caller owns it, it outlives the container, and a later container may be given the
   * same one. Absent: a folder of the runtime's own, removed with the container.
   */
  readonly upper?: string;
  readonly readOnly?: boolean;
}

export interface SecurityContext {
  /** `user`, `uid`, `user:group` or `uid:gid`, looked up in the image's own /etc/passwd and /etc/group. Default 0:0. */
  readonly user?: string;
  readonly supplementalGroups?: readonly number[];
  /** Added to, then dropped from, the default set (the one Docker gives). `ALL` is understood. Names without `CAP_`. */
  readonly addCapabilities?: readonly string[];
  readonly dropCapabilities?: readonly string[];
  readonly allowPrivilegeEscalation?: boolean;
  /** Default true: the runtime's default seccomp profile. */
  readonly seccomp?: boolean;
}

/** An image by its name, for runtimes that have it pulled where their pods run. */
export interface ImageReference {
  readonly name: string;
  readonly pullPolicy?: 'always' | 'if-not-present' | 'never';
  /** Instead of the image's own; absent: that. Only for containers whose `command` is empty. */
  readonly entrypoint?: readonly string[];
  readonly args?: readonly string[];
}

/** One container of a pod, complete: nothing in it still needs an image's config. */
export interface ContainerSpec {
  readonly name: string;
  readonly rootFs: RootFs;
  /** Instead of `rootFs`, which is empty then, for a runtime that says `pulls`. */
  readonly image?: ImageReference;
  /** The whole command line, first the program (looked up in PATH of `env`). */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly mounts?: readonly Mount[];
  readonly resources?: Resources;
  readonly security?: SecurityContext;
  readonly terminal?: boolean;
  /**
   * A running container of the pod whose processes it sees, and which sees its own: they have one process tree, and it
   * ends with that container. Runtimes that cannot do this refuse it with PodsFault UNSUPPORTED.
   */
  readonly processesOf?: string;
  /** Default SIGTERM. */
  readonly stopSignal?: string;
  /** Means nothing to the runtime. In a lasting pod they are given back to whoever adopts it. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What will be started in a pod, for runtimes that have to know when they make it. */
export interface PodPlan {
  /** Every container that is started later and is none of `beside` is a process in a container made of this. */
  readonly main: Pick<ContainerSpec, 'image' | 'env' | 'resources' | 'security'>;
  /** They start with the pod; `Pod.start` with the same name connects to them. */
  readonly beside: readonly (ContainerSpec & {
    /** `Container.isReady` is true once something listens there. */
    readonly readyPort?: number;
  })[];
  /** Folders of the main container that `Pod.files` fills and reads. */
  readonly folders: readonly string[];
  /** The text of a Docker config.json: as whom registries are asked. */
  readonly registryConfig?: string;
  /** After so long the pod is ended by whoever runs it, also when this process is no more. */
  readonly deadlineSeconds?: number;
}

/** What the containers of a pod share. */
export interface PodSpec {
  /** Unique among living pods; `[a-z0-9-]`, at most 63. */
  readonly name: string;
  readonly hostname: string;
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Default 'pod': an address on the platform's bridge. 'none': loopback only. 'host': the machine's own network, for who
   * was expressly granted it; the platform's names are not known there.
   */
  readonly network?: 'pod' | 'none' | 'host';
  /** Lines of /etc/hosts beside the standard ones: name -> address. Names of one address share a line. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** A comment at the top of /etc/hosts: who keeps it. */
  readonly hostsHeading?: string;
  /** The whole name it has itself, beside `hostname`. */
  readonly fullName?: string;
  /** Name servers for /etc/resolv.conf. Default: the platform's. */
  readonly dnsServers?: readonly string[];
  /** Search domains and options for /etc/resolv.conf. */
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /**
   * TCP ports on the pod's own loopback that lead to the same port of the platform's gateway address. curl resolves
   * `*.localhost` to 127.0.0.1 without asking anyone, so a job reaches the ingress by its public URL only this way.
   */
  readonly gatewayPortsOnLoopback?: readonly number[];
  /** Kernel settings of the pod's own namespaces, such as `net.core.somaxconn`. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** No other pod may open connections to it: for work that serves nobody, such as CI jobs and image builds. */
  readonly unreachable?: boolean;
  /**
   * The pod's containers go on when this process dies, and a later one may `adopt` the pod. Not those with a terminal or
   * with standard input: they end with the process. Runtimes that cannot do this take no notice.
   */
  readonly lasting?: boolean;
  /** Runtimes that start any container at any time take no notice. */
  readonly plan?: PodPlan;
}

/**
 * How a container ended. `couldNotStart` is the runtime's own words (no such program, bad user); or, of one that ran on
 * another machine, why nobody knows how it ended (it was evicted, that machine is gone).
 */
export type ContainerExit =
  | { readonly kind: 'exited'; readonly code: number; readonly outOfMemory: boolean }
  | { readonly kind: 'couldNotStart'; readonly message: string };

export interface ContainerStreams {
  /** Default: /dev/null. Ended when this readable ends. */
  readonly stdin?: Readable;
  /**
   * Called in order with what the container prints; chunks are cut anywhere. A promise holds the output back, and with it
   * in the end the container, until it resolves.
   */
  readonly onStdout: (chunk: Buffer) => void | Promise<void>;
  readonly onStderr: (chunk: Buffer) => void | Promise<void>;
}

export interface Process {
  readonly stdin: Writable | undefined;
  /** Resolves when the process has ended and all its output was delivered. */
  readonly exited: Promise<ContainerExit>;
  kill(signal: NodeJS.Signals): Promise<void>;
  resize?(columns: number, rows: number): void;
}

export interface ContainerStats {
  readonly memoryBytes: number;
  readonly cpuNanoseconds: bigint;
}

/** A started container. After `exited` it holds nothing but what its `rootFs.upper` and mounts keep. */
export interface Container extends Process {
  readonly name: string;
  /** Process id of its first process on this host; undefined when it could not start, or runs elsewhere. */
  readonly pid: number | undefined;
  /** Signal, wait at most `graceMs`, then SIGKILL everything in it. Safe to call twice and after the end. */
  stop(graceMs: number, signal?: string): Promise<void>;
  /** Another process inside, with the container's namespaces, limits and (unless given) its environment. */
  exec(
    command: readonly string[],
    options: ContainerStreams & {
      env?: Readonly<Record<string, string>>;
      user?: string;
      workingDir?: string;
      terminal?: boolean;
    },
  ): Promise<Process>;
  stats(): Promise<ContainerStats>;
  /** Only of containers that were planned with a `readyPort`. */
  isReady?(): Promise<boolean>;
}

/** Copies between this host and the folders of a pod that lies elsewhere. */
export interface PodFiles {
  /** Adds what lies in a folder of this host to a folder of the pod; everyone in the pod may write it. */
  put(folder: string, target: string): Promise<void>;
  /** Copies these paths below a folder of the pod into an empty folder of this host; those that are not there are left out. */
  get(source: string, paths: readonly string[], folder: string): Promise<void>;
}

/** A pod: network and names that containers are started into. */
export interface Pod {
  readonly name: string;
  /** IPv4 address on the bridge; undefined without network. */
  readonly address: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Of pods that share no files with this host. */
  readonly files?: PodFiles;
  /**
   * Starts a container. Several may run at once; names are unique in the pod.
   * Never rejects for what the image or the command is to blame for: `exited` tells. Rejects with PodFault otherwise.
   */
  start(spec: ContainerSpec, streams: ContainerStreams): Promise<Container>;
  /** Kills what runs and takes away network, mounts and folders of the pod's own. Idempotent; safe after a failed start. */
  remove(): Promise<void>;
}

/**
 * What runs pods. Life cycle: `createPod` -> `Pod.start` (any number) -> `Pod.remove`.
 * Everything a runtime makes is named after its platform, so that `sweep` of a later process finds it.
 */
export interface Runtime {
  readonly kind: 'runc' | 'host' | 'docker' | 'kubernetes';
  /** Its containers have images by name, which it has pulled; they share no files with this host. */
  readonly pulls?: boolean;
  /** @param options `signal` gives up; `onProgress` hears what it waits for. For runtimes where that takes long. */
  createPod(
    spec: PodSpec,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (line: string) => void },
  ): Promise<Pod>;
  list(): readonly Pod[];
  /**
   * Ends and removes whatever an earlier, dead process of this platform left: containers, networks, mounts, folders.
   * Lasting pods are left as they are, to be adopted, unless `lasting` is given: then those go that nobody has adopted.
   */
  sweep(options?: { readonly lasting?: boolean }): Promise<{ removed: readonly string[] }>;
  /**
   * Takes over what an earlier, dead process left of the lasting pod of this name. undefined: there is nothing of it.
   * From then on it is listed and has to be removed like a pod made here.
   */
  adopt(name: string): Promise<AdoptedPod | undefined>;
}

/** A lasting pod that has changed hands. */
export interface AdoptedPod {
  readonly pod: Pod;
  /** Its network is as it was: containers may be started in it. False: it can only tell how its containers ended. */
  readonly intact: boolean;
  readonly containers: readonly LeftContainer[];
}

/** A container that was started by an earlier process. */
export interface LeftContainer {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly startedMs: number;
  /** When it ended, as far as it did so before it was adopted. */
  readonly endedMs: number | undefined;
  /**
   * Connects to it: first comes what it has printed since, up to what pipes hold. `exited` tells how it really ended, and
   * 137 when nobody knows. Once only.
   */
  attach(streams: ContainerStreams): Promise<Container>;
}

/** The pods' network of one platform. */
export interface PlatformNetwork {
  /** The bridge's address: DNS (port 53), ingress, registry and API server listen here for pods. */
  readonly gateway: string;
  /** CIDR of pod addresses, and of Service cluster IPs (nothing listens there but nftables). */
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Names that the platform's DNS answers besides forwarding the rest. First zone that answers wins. */
  addZone(zone: DnsZone): () => void;
  /**
   * Service addresses: replaces the whole set at once. Connections to `address:port` go to one of `targets`, chosen at
   * random; none = refused.
   */
  setServices(services: readonly ServiceForward[]): Promise<void>;
  /** Which pods may be reached by whom, and what they may reach: replaces the whole at once. */
  setTraffic(rules: TrafficRules): Promise<void>;
  /** Lets pods reach these TCP ports of the gateway; all others but DNS are closed to them. */
  openGatewayPorts(ports: readonly number[]): Promise<void>;
  /** Takes bridge, rules and name server away. */
  remove(): Promise<void>;
}

/**
 * Restrictions of single pods; a pod that is not named, or not for a direction, has none. The host itself always
 * reaches its pods, pods always reach themselves and the platform's DNS, and established connections live on.
 */
export interface TrafficRules {
  readonly pods: readonly {
    readonly address: string;
    /** Names of lists: what is in them is allowed, all else is refused. */
    readonly incoming?: string;
    readonly outgoing?: string;
  }[];
  readonly lists: Readonly<Record<string, readonly TrafficRule[]>>;
}

/** Any of the peers by any of the ports; absent: all of them. */
export interface TrafficRule {
  readonly peers?: readonly TrafficPeer[];
  readonly ports?: readonly TrafficPorts[];
}

export type TrafficPeer =
  | { readonly addresses: readonly string[] }
  /** CIDRs. */
  | { readonly range: string; readonly except?: readonly string[] };

export interface TrafficPorts {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** Absent: every port. */
  readonly from?: number;
  readonly to?: number;
}

export interface ServiceForward {
  readonly address: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly targets: readonly { readonly address: string; readonly port: number }[];
  /** Seconds a client stays with its target; absent: no affinity. */
  readonly affinitySeconds?: number;
}

export interface DnsZone {
  /** The name above all of its names: told to clients that ask for what is not there. */
  readonly apex?: string;
  /**
   * `name` is lower case without the final dot. undefined: not this zone's; []: the name exists but has no such record;
   * 'NXDOMAIN': it is this zone's and does not exist.
   */
  lookup(
    name: string,
    type: 'A' | 'AAAA' | 'SRV' | 'PTR' | 'TXT',
  ): readonly DnsAnswer[] | 'NXDOMAIN' | undefined;
}

export interface DnsAnswer {
  /** A CNAME stands alone: what it leads to is looked up by who asked the zone. */
  readonly type: 'A' | 'CNAME' | 'SRV' | 'PTR' | 'TXT';
  readonly ttlSeconds: number;
  /** A: the address. CNAME: the other name. SRV: `{priority weight port target}` joined by blanks. PTR, TXT: the text. */
  readonly data: string;
}
