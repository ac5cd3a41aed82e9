import type { Store } from '../store/store.ts';
import { JSON_TYPE } from './error-body.ts';
import type { Answer, Handlers } from './exchange.ts';

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

const ALIVE: Answer = { status: 200, headers: ['content-type', JSON_TYPE], body: '{"status":"alive"}' };

/** `/livez`: the process answers. `/readyz`: it should get requests now; says which store it has. */
export function healthHandlers(options: { store: Store; readiness: Readiness }): Handlers {
  const { store, readiness } = options;
  return {
    '/livez': { GET: () => ALIVE },
    '/readyz': {
      GET: async () => {
        const status = await stateOf(store, readiness);
        return {
          status: status === 'ready' ? 200 : 503,
          headers: ['content-type', JSON_TYPE, 'cache-control', 'no-store'],
          body: JSON.stringify({ status, store: store.description }),
        };
      },
    },
  };
}
