import { createServer } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@updraft/kit';
import { createAuthority } from '../../certificates.ts';
import { base64 } from '../../credentials.ts';

export interface ReviewRequest {
  readonly uid: string;
  readonly operation: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly subResource?: string;
  readonly dryRun: boolean;
  readonly kind: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly requestKind: Readonly<Record<string, string>>;
  readonly requestResource: Readonly<Record<string, string>>;
  readonly userInfo: { readonly username: string; readonly groups: readonly string[] };
  // Tests read into them freely.
  // eslint-disable-next-line typescript/no-explicit-any -- the shape is what each test is about
  readonly object: any;
  // eslint-disable-next-line typescript/no-explicit-any -- the same
  readonly oldObject: any;
  // eslint-disable-next-line typescript/no-explicit-any -- the same
  readonly options: any;
}

/** What stands in `response` besides the uid; a function answers by itself. */
export type Say = (request: ReviewRequest) => object | ((response: ServerResponse) => void) | Promise<object>;

/** A real webhook over HTTPS on loopback; what it says is by the path that is asked. */
export interface FakeWebhook {
  readonly port: number;
  readonly caBundle: string;
  /** All that was asked, with the path it was asked by. */
  readonly asked: (ReviewRequest & { readonly path: string; readonly reviewVersion: string })[];
  on(path: string, say: Say): void;
  close(): Promise<void>;
}

/** @param hosts what its certificate is for, such as `hook.default.svc` */
export async function startFakeWebhook(
  hosts: readonly string[],
  address = '127.0.0.1',
): Promise<FakeWebhook> {
  const authority = await createAuthority(systemClock.now());
  const { certificate, key } = await authority.issueServer(hosts, systemClock.now());
  const says = new Map<string, Say>();
  const asked: FakeWebhook['asked'] = [];
  const server = createServer({ cert: certificate, key }, (message, response) => {
    void (async () => {
      const path = (message.url ?? '').split('?')[0] ?? '';
      const review = JSON.parse(Buffer.concat(await message.toArray()).toString());
      const { apiVersion, request } = review as { apiVersion: string; request: ReviewRequest };
      asked.push({ ...request, path, reviewVersion: apiVersion });
      const said = await says.get(path)?.(request);
      if (typeof said === 'function') return said(response);
      if (said === undefined) return response.writeHead(404).end();
      response.setHeader('content-type', 'application/json');
      const answer = { uid: request.uid, ...said };
      response.end(JSON.stringify({ apiVersion, kind: 'AdmissionReview', response: answer }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: base64(authority.pair.certificate),
    asked,
    on: (path, say) => void says.set(path, say),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A JSON patch as it stands in a response. */
export const patching = (...operations: object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
