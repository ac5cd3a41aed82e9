import { parseReference } from '../reference.ts';
import { RemoteRepository, targetOf } from './client.ts';
import type { ClientOptions } from './client.ts';

/**
 * Asks a registry (`host[:port]`, `docker.io`) whether it takes the credentials. One that asks for none takes all.
 * @throws OciFault UNAUTHORIZED, REGISTRY_UNREACHABLE, REGISTRY_FAILED, REFERENCE_INVALID
 */
export async function checkCredentials(registry: string, options: ClientOptions): Promise<void> {
  const target = targetOf(parseReference(`${registry}/a`), 'pull', options.insecure);
  const remote = new RemoteRepository({ ...target, sources: [], isRoot: true }, options);
  try {
    const answer = await remote.send({ method: 'GET', path: new URL('/v2/', target.base) }, 'signing in');
    await answer.body.dump();
  } finally {
    await remote.close();
  }
}
