import { OciFault } from './faults.ts';
import { canonicalJson } from './json.ts';
import { MEDIA } from './media-types.ts';
import { parseReference } from './reference.ts';
import type { LocalImageStore } from './store/store.ts';
import type { Descriptor, Digest } from './types.ts';

const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
const EMPTY = Buffer.from('{}');

/** What is said about an image: a bill of materials, where it comes from, a signature. */
export interface Attachment {
  /** Tells the kinds apart: `application/spdx+json`, `application/vnd.in-toto+json`. */
  readonly artifactType: string;
  readonly content: Uint8Array;
  /** Of the content; the default is `artifactType`. */
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An attachment as it lies in the store. */
export interface Referrer extends Descriptor {
  readonly artifactType: string | undefined;
}

/**
 * Attaches something to an image that has a name: an artifact manifest with the image as its subject, in every
 * repository that has the image. The same attachment of the same image gives the same digest, and is there once.
 * The registry lists it; pruning keeps it as long as the image.
 * @throws OciFault BLOB_UNKNOWN when the image is not here, IMAGE_NOT_FOUND when it has no name
 */
export async function attachReferrer(
  store: LocalImageStore,
  subject: Digest,
  attachment: Attachment,
): Promise<{ digest: Digest }> {
  const subjectDescriptor = await descriptorOf(store, subject);
  const repositories = store.records.repositoriesOf(subject);
  if (repositories.length === 0) {
    throw new OciFault(
      'IMAGE_NOT_FOUND',
      `${subject} has no name, so that nothing attached to it could be found`,
      {
        next: 'Name the image first.',
      },
    );
  }
  const { digest } = await store.blobs.write(await artifactManifest(store, subjectDescriptor, attachment));
  for (const { registry, repository } of repositories) await store.link({ registry, repository }, digest);
  return { digest };
}

/**
 * Names an image of this store, and what is attached to it comes along to the name's repository. A name that comes from
 * elsewhere must not be given so: it would show one repository's attachments in another.
 */
export async function tagWithReferrers(store: LocalImageStore, name: string, digest: Digest): Promise<void> {
  await store.tag(name, digest);
  for (const referrer of store.referrers(digest)) await store.link(parseReference(name), referrer);
}

/** What is attached to an image, of one kind or of all, by digest. */
export function referrersOf(
  store: LocalImageStore,
  subject: Digest,
  artifactType?: string,
): readonly Referrer[] {
  const all = store.records.referrers(subject);
  // One that is in several repositories is one all the same.
  const unique = new Map(all.map((each) => [each.digest, each]));
  return [...unique.values()]
    .filter((each) => artifactType === undefined || each.artifactType === artifactType)
    .map(({ mediaType, digest, size, artifactType: type, annotations }) => ({
      mediaType,
      digest,
      size,
      artifactType: type,
      ...(annotations && { annotations }),
    }));
}

async function descriptorOf(store: LocalImageStore, subject: Digest): Promise<Descriptor> {
  const parsed = await store.images.manifest(subject);
  const size = await store.blobs.size(subject);
  if (parsed && size !== undefined) return { mediaType: parsed.links.mediaType, digest: subject, size };
  throw new OciFault('BLOB_UNKNOWN', `the store does not hold the image ${subject}`);
}

async function artifactManifest(
  store: LocalImageStore,
  subject: Descriptor,
  { artifactType, content, mediaType = artifactType, annotations }: Attachment,
): Promise<Buffer> {
  const config = { mediaType: EMPTY_TYPE, ...(await store.blobs.write(EMPTY)) };
  const layers = [{ mediaType, ...(await store.blobs.write(content)) }];
  const manifest = { schemaVersion: 2, mediaType: MEDIA.ociManifest, artifactType, config, layers, subject };
  return Buffer.from(canonicalJson({ ...manifest, ...(annotations && { annotations }) }));
}
