import { Fault, KeyedLock, codeOf, messageOf } from '@updraft/kit';
import type { Clock, Emitter } from '@updraft/kit';
import type { RunEvent } from '@updraft/control';
import { formatReference, machineArchitecture, pull } from '@updraft/oci';
import type { Credentials, Digest, Image, ImageStore, PullOptions, Reference } from '@updraft/oci';
import type { RegistryAccess, ResolveOptions } from '@updraft/builder';
import type { RegistryAccess as MachineAccess, TransferAccess } from './access.ts';
import type { StandIn, StandIns } from '@updraft/stand-ins';

/** A registry that did not answer is not asked again for this long. */
const UNREACHABLE_FOR_MS = 10 * 60_000;

/** What is done sooner needs no announcement. */
const QUIET_FOR_MS = 2000;

export type Progress = Extract<RunEvent, { readonly type: 'progress' }>;

export interface FoundImage {
  readonly image: Image;
  readonly notes: readonly string[];
  readonly standIn: StandIn | undefined;
}

export interface FindOptions {
  readonly policy: 'always' | 'if-not-present' | 'never';
  readonly credentials: Credentials | undefined;
  readonly onLog: (text: string) => void;
  readonly signal?: AbortSignal;
  /** `linux/arm64`: what the image is to be for. The name goes on to mean what it did. */
  readonly platform?: string;
  /** What a build's own command line says of registries; it comes before what the machine knows. */
  readonly access?: ResolveOptions['access'];
  /** For a transfer, if there is one. */
  readonly transfer?: Pick<PullOptions, 'onProgress' | 'platform' | 'insecure'>;
}

interface Parts {
  readonly store: ImageStore;
  readonly standIns: StandIns;
  readonly clock: Clock;
  /** Host of the embedded registry: its images are in the store or nowhere. */
  readonly registryHost: string;
  readonly progress: Emitter<Progress>;
  /** Credentials that are kept, proxies, certificates. */
  readonly access: MachineAccess;
}

/**
 * Where images come from, in order: always-ours tools, the store, the remote registry, and a stand-in when the registry
 * cannot be reached at all. An image that a reachable registry does not have is an error, never a stand-in.
 */
export class ImageFinder {
  readonly #parts: Parts;
  readonly #lock = new KeyedLock();
  readonly #unreachable = new Map<string, number>();
  readonly #held = new Set<Digest>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @throws Fault IMAGE_NOT_FOUND, IMAGE_PULL_FAILED, IMAGE_FORBIDDEN, IMAGE_NAME_INVALID */
  async find(name: string, options: FindOptions): Promise<FoundImage> {
    const reference = parseName(this.#parts.store, name);
    const found = await this.#lock.use(formatReference(reference), () => this.#find(reference, options));
    this.#held.add(found.image.digest);
    return found;
  }

  /** Images that were given out and may be in use. */
  held(): readonly Digest[] {
    return [...this.#held];
  }

  /** Nothing runs that could use an image that was given out. */
  releaseAll(): void {
    this.#held.clear();
  }

  async #find(reference: Reference, options: FindOptions): Promise<FoundImage> {
    const { store, standIns, registryHost } = this.#parts;
    const name = formatReference(reference);
    const standIn = standIns.find(name);
    if (standIn?.always) return this.#standIn(standIn, options);
    const present = await store.get(name);
    const fits = isFor(present, options.platform);
    if (present && this.#isEnough(reference, fits, options)) return plain(present);
    if (reference.registry === registryHost)
      throw notHere(name, 'the embedded registry does not have it; a build job pushes it there');
    if (options.policy === 'never') throw notHere(name, 'it is not on this machine and pull_policy is never');
    const pulled = await this.#pullUnlessKnown(present !== undefined && !fits, reference, options);
    if (pulled) return plain(pulled);
    if (present) return plain(present);
    if (standIn) return this.#standIn(standIn, options);
    throw unreachable(reference, name, standIns.known());
  }

  /** Need its registry not be asked about an image that is here? */
  #isEnough({ registry }: Reference, fits: boolean, { policy }: FindOptions): boolean {
    return registry === this.#parts.registryHost || (fits && policy !== 'always');
  }

  /**
   * As `#pull`. Where there is an image of that name, only for another platform, a registry need not know it: the image is
   * what it is, and who asked sees what it is for.
   */
  async #pullUnlessKnown(
    isKnown: boolean,
    reference: Reference,
    options: FindOptions,
  ): Promise<Image | undefined> {
    try {
      return await this.#pull(reference, options);
    } catch (error) {
      if (!isKnown || codeOf(error) === 'IMAGE_PULL_FAILED') throw error;
      return undefined;
    }
  }

  /** undefined when the registry cannot be reached. */
  async #pull(reference: Reference, options: FindOptions): Promise<Image | undefined> {
    const { clock, store } = this.#parts;
    const { access } = this.#parts;
    const own = await options.access?.(reference.registry);
    const way = withWishes(await access.to(reference.registry, options.credentials), own);
    const until = this.#unreachable.get(reference.registry) ?? 0;
    if (clock.elapsed() < until && way.mirrors?.length === 0) return undefined;
    try {
      return await pull(store, formatReference(reference), {
        ...way,
        ...options.transfer,
        ...otherPlatform(options.platform),
        ...(options.signal ? { signal: options.signal } : {}),
      });
    } catch (error) {
      if (codeOf(error) === 'UNAUTHORIZED')
        throw pullFault(reference, error, await access.advice(reference.registry));
      if (codeOf(error) !== 'REGISTRY_UNREACHABLE') throw pullFault(reference, error);
      this.#unreachable.set(reference.registry, clock.elapsed() + UNREACHABLE_FOR_MS);
      return undefined;
    }
  }

  async #standIn(standIn: StandIn, options: FindOptions): Promise<FoundImage> {
    const image = await this.#announced(standIn, () => this.#parts.standIns.make(standIn, options.onLog));
    return { image, notes: [standIn.note], standIn };
  }

  /** Making one takes up to minutes: after two seconds everyone who watches a run is told. */
  async #announced(standIn: StandIn, make: () => Promise<Image>): Promise<Image> {
    const { clock, progress } = this.#parts;
    const what = `making a ${standIn.note}`;
    const started = clock.elapsed();
    let isTold = false;
    const stop = clock.timer(QUIET_FOR_MS, () => {
      isTold = true;
      progress.emit({ type: 'progress', what, state: 'started' });
    });
    try {
      return await make();
    } finally {
      stop();
      const durationMs = clock.elapsed() - started;
      if (isTold) progress.emit({ type: 'progress', what, state: 'done', durationMs });
    }
  }
}

/** What is not wished for does not take away what the machine has. */
function withWishes(machine: TransferAccess, own: RegistryAccess = {}): RegistryAccess & TransferAccess {
  const ca = [machine.ca, own.ca].filter((each) => each !== undefined).join('\n');
  const { credentials = machine.credentials } = own;
  return {
    ...machine,
    insecure: own.insecure || machine.insecure || false,
    skipTlsVerify: own.skipTlsVerify ?? false,
    mirrors: [...(own.mirrors ?? []), ...(own.mirrorsOnly ? [] : (machine.mirrors ?? []))],
    mirrorsOnly: own.mirrorsOnly ?? false,
    ...(credentials && { credentials }),
    ...(ca !== '' && { ca }),
  };
}

/** Without a wish every image fits. */
function isFor(image: Image | undefined, platform: string | undefined): boolean {
  const [os, architecture] = platform?.split('/') ?? [];
  const config = image?.config;
  return platform === undefined || (config?.os === os && config?.architecture === architecture);
}

function otherPlatform(platform: string | undefined): Pick<PullOptions, 'platform' | 'named'> {
  const isOwn = platform === undefined || platform === `linux/${machineArchitecture()}`;
  return isOwn ? {} : { platform, named: false };
}

const plain = (image: Image): FoundImage => ({ image, notes: [], standIn: undefined });

function parseName(store: ImageStore, name: string): Reference {
  try {
    return store.parse(name);
  } catch (error) {
    throw new Fault('IMAGE_NAME_INVALID', `${name} is not the name of an image: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

const unreachable = ({ registry, repository }: Reference, name: string, known: readonly string[]): Fault =>
  new Fault('IMAGE_PULL_FAILED', `the registry ${registry} cannot be reached to pull ${name}`, {
    next: `There is no stand-in for ${repository}; those there are: ${known.join(', ')}.`,
  });

const notHere = (name: string, why: string): Fault =>
  new Fault('IMAGE_NOT_FOUND', `there is no image ${name}: ${why}`);

function pullFault(reference: Reference, error: unknown, advice?: string): Fault {
  const code = codeOf(error) === 'UNAUTHORIZED' ? 'IMAGE_FORBIDDEN' : 'IMAGE_PULL_FAILED';
  const known = codeOf(error) === 'IMAGE_NOT_FOUND' ? 'IMAGE_NOT_FOUND' : code;
  return new Fault(known, `${formatReference(reference)} cannot be pulled: ${messageOf(error)}`, {
    cause: error,
    ...(advice === undefined ? nextOf(error) : { next: advice }),
  });
}

const nextOf = (error: unknown): { next?: string } =>
  error instanceof Fault && error.next !== undefined ? { next: error.next } : {};
