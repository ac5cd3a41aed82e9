import type { ServerResponse } from 'node:http';
import { codeOf } from '@updraft/kit';
import type { KubeObject, WatchEvent } from '../store/types.ts';
import type { ApiContext } from './context.ts';
import { formOf, showObject } from './form.ts';
import type { Form } from './form.ts';
import { JsonText } from './json-text.ts';
import { matcher, parseVersion } from './read.ts';
import { flag, integer } from './request.ts';
import type { ApiRequest } from './request.ts';
import { apiVersionOf } from './resources.ts';
import { ApiFault, expired, tooLargeVersion } from './status.ts';
import type { Place } from './write.ts';

const BOOKMARK_MS = 60_000;
const DEFAULT_TIMEOUT_SECONDS = 1800;
/** A client that takes its events this slowly is better off starting again. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
const INITIAL_END = 'k8s.io/initial-events-end';

interface Stream {
  readonly context: ApiContext;
  readonly response: ServerResponse;
  readonly place: Place;
  readonly form: Form;
  readonly matches: (object: KubeObject) => boolean;
  /** The first table of a stream has the column headers. */
  headersSent: boolean;
  /** What may wait to be sent. What there is at the beginning is sent whole, however much it is. */
  maxWaitingBytes: number;
}

/**
 * Answers a watch: what there is (when asked for), then every change until the client or its timeout ends it.
 * @throws ApiFault 400, 422, before anything was sent
 */
export function watch(
  context: ApiContext,
  request: ApiRequest,
  place: Place,
  response: ServerResponse,
): void {
  const { query } = request;
  const matches = matcher(place.type, query);
  const start = startOf(context, query);
  const stream: Stream = {
    context,
    response,
    place,
    form: formOf(request),
    matches,
    headersSent: false,
    maxWaitingBytes: Number.POSITIVE_INFINITY,
  };
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  // Clients wait for the head of the answer, and the first event may be hours away.
  response.flushHeaders();
  const bookmarks = flag(query, 'allowWatchBookmarks');
  if (start.initial) sendInitial(stream, start.marksEnd);
  stream.maxWaitingBytes = response.writableLength + MAX_WAITING_BYTES;
  try {
    const stop = follow(stream, start.from);
    keepAlive(stream, {
      stop,
      bookmarks,
      seconds: integer(query, 'timeoutSeconds') || DEFAULT_TIMEOUT_SECONDS,
    });
  } catch (error) {
    if (codeOf(error) !== 'EXPIRED') throw error;
    const words = error instanceof Error ? error.message : 'too old resource version';
    send(stream, 'ERROR', expired(words).status);
    response.end();
  }
}

interface Start {
  /** Undefined: from now. */
  readonly from: number | undefined;
  readonly initial: boolean;
  /** Send the bookmark that ends the initial events. */
  readonly marksEnd: boolean;
}

function startOf(context: ApiContext, query: URLSearchParams): Start {
  const version = query.get('resourceVersion') ?? '';
  const revision = version === '' || version === '0' ? undefined : parseVersion(version);
  checkInitial(query.get('sendInitialEvents'), query.get('resourceVersionMatch') ?? '');
  const present = context.store.revision;
  if (revision !== undefined && revision > present) throw tooLargeVersion(revision, present);
  if (!query.has('sendInitialEvents'))
    return { from: revision, initial: revision === undefined, marksEnd: false };
  const wanted = flag(query, 'sendInitialEvents');
  return { from: wanted ? undefined : revision, initial: wanted, marksEnd: wanted };
}

/** A server that ignored these would leave clients waiting for an event that never comes. */
function checkInitial(initial: string | null, match: string): void {
  if (initial === null && match !== '') {
    throw refusal(
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    );
  }
  if (initial !== null && match !== 'NotOlderThan') {
    throw refusal(
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  }
}

function refusal(words: string): ApiFault {
  const details = { group: 'meta.k8s.io', kind: 'ListOptions' };
  return new ApiFault(422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: ${words}`, details);
}

function sendInitial(stream: Stream, marksEnd: boolean): void {
  const { context, place } = stream;
  for (const object of context.store.list(place.type.storedAs, place.namespace)) {
    if (stream.matches(object)) sendObject(stream, 'ADDED', object);
  }
  if (marksEnd) sendBookmark(stream, { [INITIAL_END]: 'true' });
}

function follow(stream: Stream, from: number | undefined): () => void {
  const { place } = stream;
  return stream.context.store.watch((event) => {
    if (event.resource !== place.type.storedAs) return;
    if (place.namespace !== undefined && event.object.metadata.namespace !== place.namespace) return;
    pass(stream, event);
  }, from);
}

/** What enters or leaves the selection is added or deleted for this watcher. */
function pass(stream: Stream, event: WatchEvent): void {
  const before = event.previous !== undefined && stream.matches(event.previous);
  const after = event.type !== 'DELETED' && stream.matches(event.object);
  if (after) sendObject(stream, before ? 'MODIFIED' : 'ADDED', event.object);
  else if (before) sendObject(stream, 'DELETED', event.object);
}

function sendObject(stream: Stream, type: WatchEvent['type'], object: KubeObject): void {
  const nowMs = stream.context.clock.now();
  const headers = !stream.headersSent;
  stream.headersSent = true;
  send(stream, type, showObject(stream.form, stream.place.type, { object, nowMs, headers }));
}

function sendBookmark(stream: Stream, annotations?: Record<string, string>): void {
  const { type } = stream.place;
  const resourceVersion = String(stream.context.store.revision);
  const metadata = { resourceVersion, creationTimestamp: null, ...(annotations ? { annotations } : {}) };
  const object = { kind: type.kind, apiVersion: apiVersionOf(type), metadata };
  if (stream.form.as === 'Table') {
    send(stream, 'BOOKMARK', {
      kind: 'Table',
      apiVersion: stream.form.apiVersion,
      metadata: { resourceVersion },
      columnDefinitions: null,
      rows: [
        {
          cells: [],
          object: { kind: 'PartialObjectMetadata', apiVersion: stream.form.apiVersion, metadata },
        },
      ],
    });
    return;
  }
  const kind = { kind: 'PartialObjectMetadata', apiVersion: stream.form.apiVersion };
  send(stream, 'BOOKMARK', stream.form.as === 'partial' ? { ...object, ...kind } : object);
}

function send(stream: Stream, type: WatchEvent['type'] | 'BOOKMARK' | 'ERROR', object: unknown): void {
  const { response } = stream;
  if (response.writableEnded || response.destroyed) return;
  const text = object instanceof JsonText ? object.text : JSON.stringify(object);
  response.write(`{"type":"${type}","object":${text}}\n`);
  if (response.writableLength > stream.maxWaitingBytes) response.destroy();
}

interface KeepAlive {
  readonly stop: () => void;
  readonly bookmarks: boolean;
  readonly seconds: number;
}

function keepAlive(stream: Stream, options: KeepAlive): void {
  const { context, response } = stream;
  let stopBookmark: (() => void) | undefined;
  const mark = () => {
    sendBookmark(stream);
    stopBookmark = context.clock.timer(BOOKMARK_MS, mark);
  };
  if (options.bookmarks) stopBookmark = context.clock.timer(BOOKMARK_MS, mark);
  const stopTimeout = context.clock.timer(options.seconds * 1000, () => {
    if (options.bookmarks) sendBookmark(stream);
    response.end();
  });
  response.once('close', () => {
    options.stop();
    stopBookmark?.();
    stopTimeout();
  });
}
