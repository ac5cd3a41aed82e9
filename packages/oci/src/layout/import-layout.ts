import { blobPath, parseDigest } from '../digest.ts';
import { OciFault } from '../faults.ts';
import { isRecord, parseJsonObject } from '../json.ts';
import { MAX_MANIFEST_BYTES, parseManifest } from '../manifest.ts';
import type { ParsedManifest } from '../manifest.ts';
import { choosePlatform } from '../platform.ts';
import type { Digest, Image, ImageStore } from '../types.ts';
import { REF_NAME } from './export-layout.ts';
import { openInside, readInside } from './files.ts';

/** One line of a layout's index. */
export interface LayoutEntry {
  readonly digest: Digest;
  readonly annotations: Readonly<Record<string, unknown>>;
}

/**
 * Takes an image from an OCI image layout into the store, every blob verified. It gets no name. Without `tag` the
 * layout must hold one image.
 * @throws OciFault ARCHIVE_INVALID, IMAGE_NOT_FOUND, DIGEST_INVALID, MANIFEST_INVALID, PLATFORM_MISSING
 */
export async function importOciLayout(store: ImageStore, dir: string, tag?: string): Promise<Image> {
  const entries = await layoutEntries(dir);
  const fitting =
    tag === undefined ? entries : entries.filter((entry) => entry.annotations[REF_NAME] === tag);
  const [chosen] = fitting;
  if (chosen && fitting.length === 1) return await importEntry(store, dir, chosen.digest);
  const names = entries
    .map((entry) => entry.annotations[REF_NAME])
    .filter((name) => typeof name === 'string');
  throw new OciFault(
    'IMAGE_NOT_FOUND',
    `${dir} holds ${fitting.length} images${tag === undefined ? '' : ` named ${tag}`}, not one`,
    { next: names.length > 0 ? `It has the tags ${names.slice(0, 10).join(', ')}.` : 'It has no tags.' },
  );
}

/** @throws OciFault ARCHIVE_INVALID, MANIFEST_INVALID */
export async function layoutEntries(dir: string): Promise<readonly LayoutEntry[]> {
  const index = parseJsonObject(await readInside(dir, 'index.json', MAX_MANIFEST_BYTES), `${dir}/index.json`);
  const manifests = Array.isArray(index['manifests']) ? index['manifests'].filter(isRecord) : [];
  return manifests.map(({ digest, annotations }) => ({
    digest: parseDigest(typeof digest === 'string' ? digest : ''),
    annotations: isRecord(annotations) ? annotations : {},
  }));
}

export async function importEntry(store: ImageStore, dir: string, digest: Digest): Promise<Image> {
  const own = await ownManifest(dir, digest);
  const { links } = own.parsed;
  for (const blob of links.blobs) {
    if ((await store.blobs.size(blob)) === undefined) await copyIn(store, dir, blob);
  }
  await copyIn(store, dir, own.digest);
  const image = await store.get(own.digest);
  if (image) return image;
  throw new OciFault('IMAGE_UNSUPPORTED', `what ${dir} holds under ${digest} is no container image`);
}

async function ownManifest(dir: string, digest: Digest): Promise<{ digest: Digest; parsed: ParsedManifest }> {
  const parsed = parseManifest(await readInside(dir, blobPath(digest), MAX_MANIFEST_BYTES));
  if (parsed.kind !== 'index') return { digest, parsed };
  const own = choosePlatform(parsed.index).digest;
  return {
    digest: own,
    parsed: parseManifest(await readInside(dir, blobPath(own), MAX_MANIFEST_BYTES)),
  };
}

async function copyIn(store: ImageStore, dir: string, digest: Digest): Promise<void> {
  const handle = await openInside(dir, blobPath(digest));
  await store.blobs.write(handle.createReadStream({ highWaterMark: 256 * 1024 }), digest);
}
