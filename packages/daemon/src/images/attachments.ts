import { createHash } from 'node:crypto';
import { timestamp, Fault } from '@updraft/kit';
import type { Clock } from '@updraft/kit';
import { VERSION } from '@updraft/control';
import type { BuildImage } from '@updraft/control';
import type { BuiltImage } from '@updraft/builder';
import { trivyCommand } from '@updraft/gates';
import type { SummaryCache } from '@updraft/gates';
import { attachReferrer } from '@updraft/oci';
import type { Attachment, Digest, Image, LocalImageStore } from '@updraft/oci';
import { scannable } from './scannable.ts';

const SBOM_TYPES = {
  spdx: { format: 'spdx-json', type: 'application/spdx+json' },
  cyclonedx: { format: 'cyclonedx', type: 'application/vnd.cyclonedx+json' },
} as const;

interface Parts {
  readonly store: LocalImageStore;
  readonly clock: Clock;
  readonly summaries: SummaryCache;
}

/**
 * Attaches to a built image what the build asks for, as referrers: registries list them, a push takes them along.
 * Nothing in them depends on when they were made, so that the same image gets the same ones, once.
 */
export async function attachAsked(
  parts: Parts,
  asked: BuildImage,
  built: BuiltImage,
): Promise<readonly { readonly artifactType: string; readonly digest: Digest }[]> {
  const { image } = built;
  const attachments = [
    ...(asked.sbom === undefined ? [] : [await billOfMaterials(parts, image, asked.sbom, asked.tags[0])]),
    ...(asked.provenance === true ? [provenance(asked, built)] : []),
  ];
  const attached = [];
  for (const attachment of attachments) {
    const { digest } = await attachReferrer(parts.store, image.digest, attachment);
    attached.push({ artifactType: attachment.artifactType, digest });
  }
  return attached;
}

/** What is installed in the image, by the scan's inventory. */
async function billOfMaterials(
  { store, clock, summaries }: Parts,
  image: Image,
  wanted: keyof typeof SBOM_TYPES,
  name: string = image.digest,
): Promise<Attachment> {
  const { format, type } = SBOM_TYPES[wanted];
  const createdMs = Date.parse(image.config.created ?? '') || 0;
  let content = '';
  let complaints = '';
  const code = await trivyCommand(['image', '--quiet', '--format', format, '--scanners', 'vuln', name], {
    env: {},
    readFile: () => Promise.resolve(undefined),
    writeFile: () => Promise.reject(new Error('there is no file to write')),
    stdout: (text) => (content += text),
    stderr: (text) => (complaints += text),
    stdin: () => Promise.resolve(''),
    // Its time is the image's.
    clock: { ...clock, now: () => createdMs },
    // A list of what is there, not of what is wrong with it.
    advisories: () => Promise.resolve(undefined),
    image: () => scannable(store, image.digest),
    summaries,
  });
  if (code !== 1 && content !== '') return { artifactType: type, content: Buffer.from(content) };
  throw new Fault('SBOM_FAILED', `the bill of materials cannot be made: ${complaints.trim()}`);
}

const hexOf = (digest: string) => {
  const [algorithm = 'sha256', hex = ''] = digest.split(':');
  return { [algorithm]: hex };
};

/** Where what is not our own has its name: a type of build that means nothing elsewhere. */
const BUILD_TYPE = 'https://updraft.invalid/dockerfile/v1';

/**
 * How the image came to be, as a SLSA provenance in an in-toto statement. Values of build arguments may be secret, so
 * only their names are in it.
 */
function provenance(asked: BuildImage, { image, bases }: BuiltImage): Attachment {
  const { dockerfile, target, platform, labels = {}, buildArgs } = asked;
  const created = image.config.created;
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: asked.tags.map((name) => ({ name, digest: hexOf(image.digest) })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          context: withoutPassword(asked.context),
          dockerfile,
          ...(target !== undefined && { target }),
          ...(platform !== undefined && { platform }),
          labels,
          buildArgs: Object.keys(buildArgs).toSorted(),
          buildContexts: Object.keys(asked.buildContexts).toSorted(),
          secrets: asked.secrets.map(({ id }) => id).toSorted(),
        },
        internalParameters: {
          layers: image.layers.map(({ diffId }) => diffId),
          history: createHash('sha256')
            .update(JSON.stringify(image.config.history ?? []))
            .digest('hex'),
        },
        resolvedDependencies: bases.map(({ reference, digest }) => ({
          uri: `docker://${reference}`,
          digest: hexOf(digest),
        })),
      },
      runDetails: {
        builder: { id: 'https://updraft.invalid/builder', version: { updraft: VERSION } },
        ...(created !== undefined && { metadata: { finishedOn: timestamp(Date.parse(created)) } }),
      },
    },
  };
  return {
    artifactType: 'application/vnd.in-toto+json',
    content: Buffer.from(JSON.stringify(statement)),
    annotations: { 'in-toto.io/predicate-type': statement.predicateType },
  };
}

/** An address may carry credentials. */
function withoutPassword(context: string): string {
  return context.replace(/^([a-z]+:\/\/)[^/@]*@/, '$1');
}
