import { Fault } from '@updraft/kit';
import { inspectFolder, inspectLayers } from './inventory.ts';
import type { Inspection } from './inventory.ts';
import type { ScanOptions } from './options.ts';
import { pathPattern } from './acceptance.ts';
import type { ArtifactType } from './report/model.ts';
import { readSbom } from './sbom.ts';
import { ownLayers } from './scan-image.ts';
import type { ScanImage } from './scan-image.ts';
import type { TrivyIo } from './trivy-io.ts';

/** What can be scanned, as the command line names it. */
export type SubjectKind = 'image' | 'fs' | 'rootfs' | 'sbom';

/** What is scanned, looked into. */
export interface Subject {
  readonly artifactType: ArtifactType;
  readonly image: ScanImage | undefined;
  readonly inspection: Inspection;
  /** What could not be read, each a sentence. */
  readonly gaps: readonly string[];
}

/** @throws Fault when it is not there or cannot be read */
export async function openSubject(
  kind: SubjectKind,
  name: string,
  options: ScanOptions,
  io: TrivyIo,
): Promise<Subject> {
  switch (kind) {
    case 'image':
      return imageSubject(name, options, io);
    case 'sbom':
      return sbomSubject(name, io);
    case 'fs':
    case 'rootfs':
      return folderSubject(kind, name, options, io);
    default:
      return kind satisfies never;
  }
}

async function imageSubject(name: string, options: ScanOptions, io: TrivyIo): Promise<Subject> {
  const image = await (options.input === undefined ? io.image(name) : io.input?.(options.input));
  if (image === undefined || image === 'notFound')
    throw new Fault('IMAGE_NOT_FOUND', `there is no image ${name}`);
  const secretLayers = options.scanners.includes('secret') ? ownLayers(image) : [];
  const found = await inspectLayers(image.layers, { cache: io.summaries, secretLayers });
  return { artifactType: 'container_image', image, inspection: withoutSkipped(found, options), gaps: [] };
}

async function sbomSubject(name: string, io: TrivyIo): Promise<Subject> {
  const text = await io.readFile(name);
  if (text === undefined) throw new Fault('SBOM_MISSING', `there is no file ${name}`);
  const { format, inventory, unknown } = readSbom(text, name);
  const gaps = unknown === 0 ? [] : [`${unknown} components are of kinds this scan does not know`];
  return { artifactType: format, image: undefined, inspection: { inventory, secrets: [] }, gaps };
}

async function folderSubject(
  kind: 'fs' | 'rootfs',
  name: string,
  options: ScanOptions,
  io: TrivyIo,
): Promise<Subject> {
  const folder = await io.folder?.(name);
  if (folder === undefined) throw new Fault('FOLDER_MISSING', `there is no folder ${name}`);
  const skipped = options.skipped.map(pathPattern);
  const inspection = await inspectFolder(folder, {
    secrets: options.scanners.includes('secret'),
    evidence: kind === 'fs' ? 'declared' : 'installed',
    // As in the original, for folders: neither is anybody's own.
    isSkipped: (path) => /(?:^|\/)\.git$/.test(path) || skipped.some((pattern) => pattern.test(path)),
  });
  return { artifactType: 'filesystem', image: undefined, inspection, gaps: [] };
}

/** Layers are kept looked through as a whole, so what is to be left out goes afterwards. */
function withoutSkipped({ inventory, secrets }: Inspection, { skipped }: ScanOptions): Inspection {
  const patterns = skipped.map(pathPattern);
  const isSkipped = (path: string) => patterns.some((pattern) => pattern.test(path));
  return {
    inventory: { ...inventory, packages: inventory.packages.filter(({ path }) => !isSkipped(path)) },
    secrets: secrets.filter(({ path }) => !isSkipped(path)),
  };
}
