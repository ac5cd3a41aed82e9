import { isDigest } from '../digest.ts';
import { WireError } from './errors.ts';
import { fullName, reply, wireDigest } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Digest } from '../types.ts';
import { rangeHeader } from './upload-sessions.ts';
import type { UploadSessions } from './upload-sessions.ts';

/** POST /v2/NAME/blobs/uploads/: starts an upload, or finishes it at once by a mount or with the whole content. */
export async function startUpload(exchange: Exchange, sessions: UploadSessions): Promise<void> {
  const { query } = exchange;
  const mount = query.get('mount');
  // A digest that we could not have cannot be mounted; that is a reason to upload, not to fail.
  if (mount !== null && isDigest(mount) && (await mounted(exchange, mount))) return created(exchange, mount);
  const digest = query.get('digest');
  const expected = digest === null ? undefined : wireDigest(digest);
  const id = await sessions.open(fullName(exchange));
  if (expected === undefined) return reply(exchange, 202, progress(exchange, id, 0));
  await finish(exchange, sessions, { id, expected });
}

/** PATCH /v2/NAME/blobs/uploads/ID */
export async function appendUpload(exchange: Exchange, sessions: UploadSessions): Promise<void> {
  const id = exchange.route.item;
  const size = await sessions.append(
    { repository: fullName(exchange), id, ...startOf(exchange) },
    exchange.request,
  );
  reply(exchange, 202, progress(exchange, id, size));
}

/** PUT /v2/NAME/blobs/uploads/ID?digest=DIGEST, with the last part of the content or none. */
export async function finishUpload(exchange: Exchange, sessions: UploadSessions): Promise<void> {
  const digest = exchange.query.get('digest');
  if (digest === null) throw new WireError('DIGEST_INVALID', 'the digest is missing from the request');
  await finish(exchange, sessions, { id: exchange.route.item, expected: wireDigest(digest) });
}

/** GET /v2/NAME/blobs/uploads/ID */
export async function uploadStatus(exchange: Exchange, sessions: UploadSessions): Promise<void> {
  const id = exchange.route.item;
  reply(exchange, 204, progress(exchange, id, await sessions.size({ repository: fullName(exchange), id })));
}

/** DELETE /v2/NAME/blobs/uploads/ID */
export async function cancelUpload(exchange: Exchange, sessions: UploadSessions): Promise<void> {
  await sessions.cancel({ repository: fullName(exchange), id: exchange.route.item });
  reply(exchange, 204);
}

async function finish(
  exchange: Exchange,
  sessions: UploadSessions,
  { id, expected }: { id: string; expected: Digest },
): Promise<void> {
  const repository = fullName(exchange);
  await sessions.append({ repository, id, ...startOf(exchange) }, exchange.request);
  await sessions.finish({ repository, id }, expected);
  created(exchange, expected);
}

/**
 * A blob of another repository that this user may read becomes one of this repository. Without `from` any repository
 * will do.
 */
async function mounted(exchange: Exchange, digest: Digest): Promise<boolean> {
  const { store, query, access, host } = exchange;
  const from = query.get('from');
  const holders = store.homes(digest, host);
  const mayRead = holders.some((name) => (from === null || name === from) && access.allow(name, 'pull'));
  if (!mayRead || (await store.blobs.size(digest)) === undefined) return false;
  store.records.addBlob(fullName(exchange), digest, store.clock.now());
  return true;
}

function created(exchange: Exchange, digest: Digest): void {
  const location = `/v2/${exchange.route.repository}/blobs/${digest}`;
  reply(exchange, 201, { location, 'docker-content-digest': digest });
}

function progress({ route }: Exchange, id: string, size: number) {
  const location = `/v2/${route.repository}/blobs/uploads/${id}`;
  return { location, range: rangeHeader(size), 'docker-upload-uuid': id };
}

/** Where the request says its content belongs; nothing when it does not say. */
function startOf({ request }: Exchange): { start?: number } {
  const header = request.headers['content-range'];
  if (header === undefined) return {};
  const match = /^(?:bytes )?([0-9]{1,15})-([0-9]{1,15})(?:\/[0-9*]+)?$/.exec(header);
  if (!match)
    throw new WireError('BLOB_UPLOAD_INVALID', 'the Content-Range is not well formed', { status: 416 });
  const [start, end] = [Number(match[1]), Number(match[2])];
  const length = request.headers['content-length'];
  if (end < start || (length !== undefined && Number(length) !== end - start + 1)) {
    throw new WireError('SIZE_INVALID', 'Content-Range and Content-Length do not fit together');
  }
  return { start };
}
