import type { DiffId, Digest } from '@updraft/oci';
import type { LanguageFile } from './packages/facts.ts';

/** Whose rules a package's name and version follow. */
export type Ecosystem = 'dpkg' | 'apk' | 'npm' | 'pypi' | 'go' | 'other';

export interface LayerRef {
  readonly diffId: DiffId;
  /** Of the layer as a registry has it; undefined where that was never known. */
  readonly digest: Digest | undefined;
}

/** A package that is installed. */
export interface Package {
  readonly ecosystem: Ecosystem;
  readonly name: string;
  readonly version: string;
  /** What advisories of distributions speak of; the package itself when it has no source of another name. */
  readonly source: { readonly name: string; readonly version: string };
  readonly architecture: string | undefined;
  /** What it was read from: a distribution's database, or a kind of file of a language. */
  readonly type: 'os' | LanguageFile;
  /** Only needed for development. */
  readonly isDev?: boolean;
  /** Where it was found, from the image's root. */
  readonly path: string;
  /** The layer that brought it; undefined for a folder. */
  readonly layer: LayerRef | undefined;
}

export interface OperatingSystem {
  /** `debian`, `ubuntu`, `alpine`. */
  readonly family: string;
  /** As the distribution writes it: `12.15`, `22.04`. */
  readonly version: string;
}

/** What is installed in an image or a folder. */
export interface Inventory {
  readonly os: OperatingSystem | undefined;
  /** Sorted by ecosystem, name, version and path. */
  readonly packages: readonly Package[];
}
