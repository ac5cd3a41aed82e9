import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ApiContext } from './context.ts';
import { checkHasRun, chooseContainer } from './containers.ts';
import type { LogOptions } from './ports.ts';
import { flag, integer } from './request.ts';
import type { ApiRequest } from './request.ts';
import { ApiFault, badRequest } from './status.ts';
import { existing } from './write.ts';
import type { Named } from './write.ts';

/** GET of `pods/NAME/log`: plain text, chunk by chunk. @throws ApiFault before anything was sent */
export async function logs(
  context: ApiContext,
  request: ApiRequest,
  target: { readonly named: Named; readonly response: ServerResponse },
): Promise<void> {
  const output = await openLogs(context, request.query, target.named);
  const { response } = target;
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  response.once('close', () => output.destroy());
  // A client that goes away is how a followed log ends.
  await pipeline(output, response).catch(() => undefined);
}

/** What the query asks for of a pod's log. @throws ApiFault 400, 404, 422 */
export async function openLogs(context: ApiContext, query: URLSearchParams, named: Named): Promise<Readable> {
  const pod = existing(context, named);
  const container = chooseContainer(pod, query.get('container'));
  const options = readOptions(context, query, container);
  if (!pod.spec?.['nodeName']) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  checkHasRun(pod, container, options.previous);
  return context.kubelet.logs(pod, options);
}

function readOptions(context: ApiContext, query: URLSearchParams, container: string): LogOptions {
  const tailLines = integer(query, 'tailLines');
  const limitBytes = integer(query, 'limitBytes');
  const sinceMs = sinceOf(context, query);
  if (tailLines !== undefined && tailLines < 0)
    throw invalid('tailLines', tailLines, 'must be greater than or equal to 0');
  if (limitBytes !== undefined && limitBytes < 1)
    throw invalid('limitBytes', limitBytes, 'must be greater than 0');
  return {
    container,
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
  };
}

function sinceOf(context: ApiContext, query: URLSearchParams): number | undefined {
  const seconds = integer(query, 'sinceSeconds');
  if (seconds !== undefined) {
    if (seconds < 1) throw invalid('sinceSeconds', seconds, 'must be greater than 0');
    return context.clock.now() - seconds * 1000;
  }
  const time = query.get('sinceTime');
  if (!time) return undefined;
  const parsed = Date.parse(time);
  if (Number.isNaN(parsed)) throw badRequest(`sinceTime: ${JSON.stringify(time)} is no RFC 3339 time`);
  return parsed;
}

function invalid(field: string, value: number, why: string): ApiFault {
  const message = `Invalid value: ${value}: ${why}`;
  const details = { kind: 'PodLogOptions', causes: [{ reason: 'FieldValueInvalid', message, field }] };
  return new ApiFault(422, 'Invalid', `PodLogOptions "" is invalid: ${field}: ${message}`, details);
}
