import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { MEDIA } from '../../media-types.ts';
import { makeTar } from '../make-tar.ts';

export type Algorithm = 'sha256' | 'sha512';

export interface Part {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [more: string]: unknown;
}

/** Content that belongs together: pushed, listed, read and deleted as one. */
export interface ContentSet {
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly blobs: Map<string, Buffer>;
  /** In the order in which they are to be pushed. */
  readonly manifests: Map<string, Buffer>;
  readonly tags: Map<string, string>;
  readonly referrers: Map<string, Part[]>;
  /** Manifests go with their tags as query parameters. */
  readonly tagsAsParameters: boolean;
}

export const EXAMPLE = 'application/vnd.updraft.example.v1';
export const OTHER_EXAMPLE = 'application/vnd.updraft.example.v2';
const EMPTY = 'application/vnd.oci.empty.v1+json';

export function digestBy(algorithm: Algorithm, content: Buffer): string {
  return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;
}

interface SetOptions {
  readonly algorithm?: Algorithm;
  readonly tagsAsParameters?: boolean;
  /** Descriptors carry their content. */
  readonly inline?: boolean;
  /** Documents carry a field that nobody knows. */
  readonly extraField?: boolean;
}

interface ImageOptions {
  readonly layers?: number;
  readonly layerType?: string;
  readonly compressed?: boolean;
  readonly architecture?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Part;
  readonly tag?: string;
  readonly before?: readonly Part[];
}

interface IndexOptions extends ImageOptions {
  readonly architectures?: readonly string[];
  readonly children?: readonly Part[];
}

/** Makes one set, document by document. */
export class SetMaker {
  readonly set: ContentSet;
  readonly #options: SetOptions;

  constructor(name: string, options: SetOptions = {}) {
    const { algorithm = 'sha256', tagsAsParameters = false } = options;
    const maps = { blobs: new Map(), manifests: new Map(), tags: new Map(), referrers: new Map() };
    this.set = { name, algorithm, tagsAsParameters, ...maps };
    this.#options = options;
  }

  blob(content: Buffer, mediaType: string): Part {
    const part = this.#part(content, mediaType);
    this.set.blobs.set(part.digest, content);
    return part;
  }

  image(options: ImageOptions = {}): Part {
    const { layers = 2, artifactType, before = [] } = options;
    const own = Array.from({ length: layers }, () => this.#layer(options));
    const config =
      artifactType === undefined ? this.#config(options, [...before, ...own]) : this.#emptyConfig();
    const { annotations, subject } = options;
    const whole = { schemaVersion: 2, mediaType: MEDIA.ociManifest, artifactType, config };
    return this.#manifest({ ...whole, layers: [...before, ...own], subject, annotations }, options);
  }

  index(options: IndexOptions = {}): Part {
    const { architectures = ['amd64', 'arm64'], artifactType, annotations, subject } = options;
    const { tag: _tag, subject: _subject, ...forImages } = options;
    const children =
      options.children ??
      architectures.map((architecture) => ({
        ...this.image({ ...forImages, architecture }),
        platform: { os: 'linux', architecture },
      }));
    const whole = { schemaVersion: 2, mediaType: MEDIA.ociIndex, artifactType, manifests: children };
    return this.#manifest({ ...whole, subject, annotations }, options);
  }

  /** A second pair of bytes for the last manifest: it is no longer what its digest says. */
  spoil(): this {
    for (const [digest, bytes] of this.set.manifests)
      this.set.manifests.set(digest, Buffer.concat([bytes, Buffer.from('  ')]));
    return this;
  }

  #layer({ layerType, compressed = true, artifactType }: ImageOptions): Part {
    if (artifactType !== undefined) {
      return layerType === EMPTY
        ? this.#emptyConfig()
        : this.blob(randomBytes(2048), layerType ?? artifactType);
    }
    const tar = makeTar([{ path: './note.txt', content: randomBytes(20).toString('hex') }]);
    return compressed ? this.blob(gzipSync(tar), MEDIA.ociLayerGzip) : this.blob(tar, MEDIA.ociLayer);
  }

  #config({ architecture = 'amd64' }: ImageOptions, layers: readonly Part[]): Part {
    const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) };
    return this.blob(this.#json({ architecture, os: 'linux', rootfs }), MEDIA.ociConfig);
  }

  #emptyConfig(): Part {
    return this.blob(Buffer.from('{}'), EMPTY);
  }

  #manifest(value: Record<string, unknown>, { tag, subject }: ImageOptions): Part {
    const bytes = this.#json(value);
    const part = this.#part(bytes, String(value['mediaType']));
    this.set.manifests.set(part.digest, bytes);
    if (tag !== undefined) this.set.tags.set(tag, part.digest);
    if (subject !== undefined) this.#refer(subject, part, value);
    return part;
  }

  #refer(subject: Part, { mediaType, digest, size }: Part, value: Record<string, unknown>): void {
    const config = value['config'] as Part | undefined;
    const artifactType = value['artifactType'] ?? config?.mediaType;
    const annotations = value['annotations'];
    const known = this.set.referrers.get(subject.digest) ?? [];
    this.set.referrers.set(subject.digest, [
      ...known,
      { mediaType, digest, size, artifactType, ...(annotations !== undefined && { annotations }) },
    ]);
  }

  #part(content: Buffer, mediaType: string): Part {
    const digest = digestBy(this.set.algorithm, content);
    const data = this.#options.inline ? { data: content.toString('base64') } : {};
    return { mediaType, digest, size: content.length, ...data };
  }

  #json(value: object): Buffer {
    const extra = this.#options.extraField
      ? { [`x-${randomBytes(4).toString('hex')}`]: randomBytes(4).toString('hex') }
      : {};
    return Buffer.from(JSON.stringify({ ...value, ...extra }));
  }
}

const note = () => ({
  'org.example.note': 'hello',
  [`org.example.${randomBytes(6).toString('hex')}`]: 'unique',
});

/** Everything the specification knows, each kind once. */
export function allSets(): readonly ContentSet[] {
  const make = (name: string, fill: (maker: SetMaker) => unknown, options?: SetOptions): ContentSet => {
    const maker = new SetMaker(name, options);
    fill(maker);
    return maker.set;
  };
  const artifact = { artifactType: EXAMPLE, layers: 1 } as const;
  return [
    make('image', (m) => m.image({ tag: 'image' })),
    make('uncompressed image', (m) => m.image({ tag: 'plain', compressed: false })),
    make('large manifest', (m) => m.image({ tag: 'large', annotations: manyAnnotations() })),
    make('index', (m) => m.index({ tag: 'index' })),
    make('nested index', (m) => m.index({ tag: 'nested', children: [m.index(), m.index()] })),
    make('empty index', (m) => m.index({ tag: 'none', architectures: [] })),
    make('artifact', (m) => m.image({ ...artifact, tag: 'artifact' })),
    make('index of artifacts', (m) => m.index({ ...artifact, tag: 'artifacts' })),
    make('artifact without content', (m) => m.image({ ...artifact, layerType: EMPTY, tag: 'bare' })),
    make('artifacts with a subject', withSubject),
    make('index with a subject', (m) => {
      const subject = m.index({ tag: 'subject' });
      m.index({ ...artifact, annotations: note(), subject, tag: 'referrer' });
    }),
    make('a subject that is not there', (m) => {
      const subject = { mediaType: MEDIA.ociManifest, size: 123, digest: digestBy('sha256', randomBytes(9)) };
      m.image({ ...artifact, annotations: note(), subject, tag: 'lonely' });
    }),
    make('content inside descriptors', (m) => m.image({ tag: 'inline' }), { inline: true }),
    make('layers that may not be distributed', (m) =>
      m.image({ layers: 1, tag: 'foreign', before: foreignLayers() }),
    ),
    make('parts that were never pushed', (m) => {
      const digest = digestBy('sha256', randomBytes(9));
      const missing = { mediaType: MEDIA.ociManifest, digest, size: 1024 };
      m.index({
        tag: 'sparse',
        children: [m.image(), { ...missing, platform: { os: 'linux', architecture: 'arm64' } }],
      });
    }),
    make('unknown fields', (m) => m.index({ tag: 'fields' }), { extraField: true }),
    make('no layers', (m) => m.image({ layers: 0, tag: 'no-layers' })),
    make('sha512', (m) => m.index(), { algorithm: 'sha512' }),
    make('tags as parameters', severalTags, { tagsAsParameters: true }),
    make('tags as parameters, sha512', severalTags, { tagsAsParameters: true, algorithm: 'sha512' }),
  ];
}

function withSubject(maker: SetMaker): void {
  const subject = maker.image({ tag: 'image' });
  maker.image({ subject });
  maker.image({ artifactType: EXAMPLE, layers: 1, annotations: note(), subject, tag: 'one' });
  const layerType = 'application/octet-stream';
  maker.image({
    artifactType: OTHER_EXAMPLE,
    layers: 1,
    layerType,
    annotations: note(),
    subject,
    tag: 'two',
  });
}

function severalTags(maker: SetMaker): void {
  const { digest } = maker.index({ tag: 'param' });
  maker.set.tags.set('param-again', digest);
}

function foreignLayers(): readonly Part[] {
  return ['tar', 'tar+gzip'].map((end) => {
    const digest = digestBy('sha256', randomBytes(32));
    const mediaType = `application/vnd.oci.image.layer.nondistributable.v1.${end}`;
    return { mediaType, digest, size: 12_345, urls: [`https://store.example.com/blobs/${digest}`] };
  });
}

function manyAnnotations(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: 390 }, (_, index) => [`large-${index}`, 'A'.repeat(10_000)]),
  );
}
