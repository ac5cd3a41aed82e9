import type { DiffId } from '@updraft/oci';
import { readFolder } from './content/folder.ts';
import { readTarFile } from './content/tar-file.ts';
import type { Inventory, LayerRef, OperatingSystem, Package } from './inventory-types.ts';
import { SUMMARY_FORMAT, summarise } from './layer-summary.ts';
import type { LayerSummary, SummariseOptions } from './layer-summary.ts';
import type { FoundSecret } from './secrets/detect.ts';
import { ownedPath } from './packages/debian.ts';
import type { DistributionPackage, FileFacts } from './packages/facts.ts';

/** A layer and where it lies: as an uncompressed tar, or as a folder (see `readFolder` for its limit). */
export interface ScanLayer extends LayerRef {
  readonly content: { readonly tar: string } | { readonly folder: string };
}

/** Keeps summaries by diff id. Losing one costs time only. */
export interface SummaryCache {
  get(diffId: DiffId): Promise<LayerSummary | undefined>;
  set(diffId: DiffId, summary: LayerSummary): Promise<void>;
}

/** A secret with the layer it lies in. */
export interface LayerSecret extends FoundSecret {
  /** undefined for a folder. */
  readonly layer: LayerRef | undefined;
}

export interface Inspection {
  readonly inventory: Inventory;
  /** Also those that a later layer deletes: they are still in the image. */
  readonly secrets: readonly LayerSecret[];
}

export interface InspectOptions {
  readonly cache?: SummaryCache | undefined;
  /** Diff ids of the layers to look through for secrets. Default: none. */
  readonly secretLayers?: readonly DiffId[];
}

/** What is in an image. Layers bottom first. Reads only; nothing is unpacked. */
export async function inspectLayers(
  layers: readonly ScanLayer[],
  options: InspectOptions = {},
): Promise<Inspection> {
  const view = new MergedView();
  const secrets: LayerSecret[] = [];
  for (const { diffId, digest, content } of layers) {
    const wantsSecrets = options.secretLayers?.includes(diffId) ?? false;
    const summary = await summaryOf({ diffId, digest, content }, wantsSecrets, options.cache);
    const layer = { diffId, digest };
    view.add(summary, layer);
    if (wantsSecrets) secrets.push(...(summary.secrets ?? []).map((secret) => ({ ...secret, layer })));
  }
  return { inventory: view.inventory(), secrets };
}

/** What is installed in an image. */
export async function inventoryOfLayers(
  layers: readonly ScanLayer[],
  cache?: SummaryCache,
): Promise<Inventory> {
  return (await inspectLayers(layers, { cache })).inventory;
}

export interface InspectFolderOptions extends SummariseOptions {
  /** Path from the folder -> is it left out? */
  readonly isSkipped?: (path: string) => boolean;
}

/** What is in a folder that holds a root file system, or a project. */
export async function inspectFolder(
  folder: string,
  { isSkipped, ...options }: InspectFolderOptions = {},
): Promise<Inspection> {
  const view = new MergedView();
  const summary = await summarise(readFolder(folder, isSkipped), options);
  view.add(summary, undefined);
  const secrets = (summary.secrets ?? []).map((secret) => ({ ...secret, layer: undefined }));
  return { inventory: view.inventory(), secrets };
}

/** What is installed in a folder that holds a root file system. */
export async function inventoryOfFolder(folder: string): Promise<Inventory> {
  return (await inspectFolder(folder)).inventory;
}

async function summaryOf(
  { diffId, content }: ScanLayer,
  secrets: boolean,
  cache: SummaryCache | undefined,
): Promise<LayerSummary> {
  const kept = await cache?.get(diffId);
  if (kept?.format === SUMMARY_FORMAT && (!secrets || kept.secrets !== undefined)) return kept;
  const members = 'tar' in content ? readTarFile(content.tar) : readFolder(content.folder);
  const summary = await summarise(members, { secrets });
  await cache?.set(diffId, summary);
  return summary;
}

interface Visible {
  readonly facts: FileFacts;
  readonly layer: LayerRef | undefined;
}

/** Layers laid over each other: later ones win, what they hide is gone. */
class MergedView {
  readonly #files = new Map<string, Visible>();
  /** Which layer first had a package of the distribution; its database is written anew by every later one. */
  #origins = new Map<string, LayerRef | undefined>();

  add(summary: LayerSummary, layer: LayerRef | undefined): void {
    this.#hide(new Set(summary.hidden), new Set(summary.opaque));
    for (const [path, facts] of Object.entries(summary.files)) this.#files.set(path, { facts, layer });
    this.#origins = this.#nextOrigins(layer);
  }

  #hide(hidden: ReadonlySet<string>, opaque: ReadonlySet<string>): void {
    if (hidden.size + opaque.size === 0) return;
    for (const path of this.#files.keys()) {
      const folders = ancestors(path);
      const isGone = hidden.has(path) || folders.some((folder) => hidden.has(folder) || opaque.has(folder));
      if (isGone) this.#files.delete(path);
    }
  }

  #nextOrigins(layer: LayerRef | undefined): Map<string, LayerRef | undefined> {
    const keys = this.#distributionPackages().map(({ found }) => originKey(found));
    return new Map(keys.map((key) => [key, this.#origins.has(key) ? this.#origins.get(key) : layer]));
  }

  #distributionPackages(): readonly { path: string; found: DistributionPackage }[] {
    return [...this.#files].flatMap(([path, { facts }]) =>
      facts.kind === 'distribution' ? facts.packages.map((found) => ({ path, found })) : [],
    );
  }

  inventory(): Inventory {
    const distribution = this.#distributionPackages().map(({ path, found }): Package => ({
      ecosystem: found.ecosystem,
      name: found.name,
      version: found.version,
      source: { name: found.sourceName, version: found.sourceVersion },
      architecture: found.architecture,
      type: 'os',
      path,
      layer: this.#origins.get(originKey(found)),
    }));
    const packages = [...distribution, ...this.#languagePackages()].toSorted(byName);
    return { os: this.#os(), packages };
  }

  #languagePackages(): readonly Package[] {
    const owned = new Set(
      [...this.#files.values()].flatMap(({ facts }) => (facts.kind === 'owned' ? facts.paths : [])),
    );
    return [...this.#files].flatMap(([path, { facts, layer }]): Package[] => {
      if (facts.kind !== 'language' || owned.has(ownedPath(path))) return [];
      const { ecosystem, type } = facts;
      return facts.packages.map(({ name, version, isDev }) => ({
        ecosystem,
        name,
        version,
        source: { name, version },
        architecture: undefined,
        type,
        ...(isDev && { isDev }),
        path,
        layer,
      }));
    });
  }

  #os(): OperatingSystem | undefined {
    const found = OS_FILES.map((path) => this.#files.get(path)?.facts);
    return operatingSystem(found.filter((facts) => facts !== undefined));
  }
}

/** Best first. */
const OS_FILES: readonly string[] = ['etc/os-release', 'usr/lib/os-release', 'etc/debian_version'];

function operatingSystem(facts: readonly FileFacts[]): OperatingSystem | undefined {
  const debian = facts.flatMap((found) => (found.kind === 'debian-version' ? [found.version] : []))[0];
  const release = facts.flatMap((found) => (found.kind === 'os-release' ? [found.fields] : []))[0];
  if (release === undefined) return debian === undefined ? undefined : { family: 'debian', version: debian };
  const family = release['ID'] ?? 'unknown';
  // Debian's os-release has the release alone (12); the point release is in debian_version (12.15).
  const hasPoint = family === 'debian' && debian !== undefined && /^\d/.test(debian);
  return { family, version: hasPoint ? debian : (release['VERSION_ID'] ?? '') };
}

function originKey({ ecosystem, name, version, architecture }: DistributionPackage): string {
  return [ecosystem, name, version, architecture].join('\0');
}

/** The folders a path lies in, the root (an empty text) included. */
function ancestors(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index).join('/'));
}

function byName(a: Package, b: Package): number {
  return (
    compare(a.ecosystem, b.ecosystem) ||
    compare(a.name, b.name) ||
    compare(a.version, b.version) ||
    compare(a.path, b.path)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
