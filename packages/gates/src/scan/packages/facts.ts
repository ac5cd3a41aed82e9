/** What one file says, as plain data that can be kept for the layer's digest. */
export type FileFacts =
  | { readonly kind: 'distribution'; readonly packages: readonly DistributionPackage[] }
  | {
      readonly kind: 'language';
      readonly ecosystem: 'npm' | 'pypi' | 'go';
      /** What the file is: decides how a report groups what is in it. */
      readonly type: LanguageFile;
      readonly packages: readonly LanguagePackage[];
    }
  /** Files that a package of the distribution brought. */
  | { readonly kind: 'owned'; readonly paths: readonly string[] }
  | { readonly kind: 'os-release'; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: 'debian-version'; readonly version: string }
  /** Stands in a place of interest and says nothing. */
  | { readonly kind: 'nothing' };

/** As the original calls the kinds of files. */
export type LanguageFile =
  | 'node-pkg'
  | 'python-pkg'
  | 'gobinary'
  | 'npm'
  | 'yarn'
  | 'pnpm'
  | 'pip'
  | 'pipenv'
  | 'poetry'
  | 'gomod';

export interface LanguagePackage {
  readonly name: string;
  readonly version: string;
  /** Only needed for development. */
  readonly isDev?: boolean;
}

export interface DistributionPackage {
  readonly ecosystem: 'dpkg' | 'apk';
  readonly name: string;
  readonly version: string;
  readonly architecture: string | undefined;
  readonly sourceName: string;
  readonly sourceVersion: string;
}

/** Knows a kind of file by its path, and what it says. */
export interface FileReader {
  readonly pattern: RegExp;
  /** Larger files are not read. */
  readonly maxBytes: number;
  /** @throws when the text is not what the path promises; the file then says nothing. */
  read(text: string, path: string): FileFacts;
}

/** One package in a file of its own. */
export function singlePackage(
  ecosystem: 'npm' | 'pypi',
  type: LanguageFile,
  name: string,
  version: string,
): FileFacts {
  return { kind: 'language', ecosystem, type, packages: [{ name, version }] };
}
