import type { FastifyInstance } from 'fastify';
import type { Store } from '../store/store.ts';
import { JSON_TYPE } from './error-body.ts';

/** What the process is doing, as far as callers must know. */
export interface Readiness {
  draining: boolean;
}

const PING_MS = 2000;

async function stateOf(store: Store, readiness: Readiness): Promise<string> {
  if (readiness.draining) return 'draining';
  let timer: NodeJS.Timeout | undefined;
  const slow = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, PING_MS, 'store does not answer');
  });
  try {
    return await Promise.race([
      store.ping().then(
        () => 'ready',
        () => 'store is not usable',
      ),
      slow,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** `/livez`: the process answers. `/readyz`: it should get requests now; says which store it has. */
export function addHealthRoutes(app: FastifyInstance, options: { store: Store; readiness: Readiness }): void {
  app.get('/livez', async (_request, reply) =>
    reply.header('content-type', JSON_TYPE).send('{"status":"alive"}'),
  );

  app.get('/readyz', async (_request, reply) => {
    const status = await stateOf(options.store, options.readiness);
    return reply
      .code(status === 'ready' ? 200 : 503)
      .header('content-type', JSON_TYPE)
      .header('cache-control', 'no-store')
      .send(JSON.stringify({ status, store: options.store.description }));
  });
}
