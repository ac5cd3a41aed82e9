import { MEDIA } from '../media-types.ts';
import type { RepositoryManifest } from '../store/records.ts';
import { WireError } from './errors.ts';
import { fullName, pageOf, replyJson, wireDigest } from './exchange.ts';
import type { Exchange } from './exchange.ts';

/** GET /v2/NAME/tags/list */
export function listTags(exchange: Exchange): void {
  const { store, host, route } = exchange;
  const tags = store.records.namesOf(host, route.repository).map((name) => name.tag);
  // One whose last tag was deleted is still there, without any.
  if (tags.length === 0 && !store.records.hasRepository(fullName(exchange))) {
    throw new WireError('NAME_UNKNOWN', 'there is no such repository');
  }
  const { page, headers } = pageOf(exchange, tags);
  replyJson(exchange, { name: route.repository, tags: page }, headers);
}

/** GET /v2/_catalog: the repositories this user may pull from. */
export function listRepositories(exchange: Exchange): void {
  const all = exchange.store.records.repositories(exchange.host);
  const visible = all.filter((repository) => exchange.access.allow(repository, 'pull'));
  const { page, headers } = pageOf(exchange, visible);
  replyJson(exchange, { repositories: page }, headers);
}

/** GET /v2/NAME/referrers/DIGEST: what was pushed with this manifest as its subject; none is an empty list. */
export function listReferrers(exchange: Exchange): void {
  const subject = wireDigest(exchange.route.item);
  const wanted = exchange.query.get('artifactType');
  const found = exchange.store.records
    .referrers(subject, fullName(exchange))
    .filter((referrer) => !wanted || referrer.artifactType === wanted);
  const index = { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: found.map(descriptorOf) };
  const filtered = wanted ? { 'oci-filters-applied': 'artifactType' } : {};
  replyJson(exchange, index, { 'content-type': MEDIA.ociIndex, ...filtered });
}

function descriptorOf({ mediaType, digest, size, artifactType, annotations }: RepositoryManifest) {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType && { artifactType }),
    ...(annotations && { annotations }),
  };
}
