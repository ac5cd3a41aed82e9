import path from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '@updraft/kit';

/** Ports that names and URLs were handed out with. */
export interface Ports {
  readonly registry: number;
  readonly api: number;
  readonly ingress: number;
  /** Absent where an older version wrote them. */
  readonly ingressTls?: number;
}

const fileIn = (home: string): string => path.join(home, 'ports.json');

/**
 * The ports of the last start, to be tried first: image names hold the registry's, environments' URLs the ingress's,
 * kubeconfigs the API server's, and all of them outlive the daemon.
 */
export async function lastPorts(home: string): Promise<Ports | undefined> {
  const text = await readTextIfPresent(fileIn(home));
  return text === undefined ? undefined : (JSON.parse(text) as Ports);
}

export async function rememberPorts(home: string, ports: Ports): Promise<void> {
  await writeFileAtomic(fileIn(home), JSON.stringify(ports));
}
