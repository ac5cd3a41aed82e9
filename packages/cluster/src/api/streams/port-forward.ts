import type { Duplex, Writable } from 'node:stream';
import { messageOf } from '@updraft/kit';
import type { KubeObject } from '../../store/types.ts';
import { textAt } from '../admission/members.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../status.ts';
import { existing } from '../write.ts';
import type { Named } from '../write.ts';

/** One connection to carry into a pod. */
export interface Forward {
  readonly port: number;
  readonly data: Duplex;
  /** Takes the words that say why it could not be carried, and is ended with the connection. */
  readonly error: Writable;
}

/** The pod that `pods/NAME/portforward` leads into. @throws ApiFault 400, 404 */
export function readForward(context: ApiContext, named: Named): KubeObject {
  const pod = existing(context, named);
  const phase = textAt(pod.status, 'phase') ?? 'Unknown';
  if (phase !== 'Running')
    throw badRequest(`unable to forward port because pod is not running. Current status=${phase}`);
  return pod;
}

const LAST_PORT = 65_535;

/** undefined: no port. */
export function portOf(text: string | undefined): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text ?? '') && port > 0 && port <= LAST_PORT ? port : undefined;
}

/** Carries one connection until both of its ends have ended, or one has failed. Never rejects. */
export async function carry(context: ApiContext, pod: KubeObject, forward: Forward): Promise<void> {
  const { data, error, port } = forward;
  let target: Duplex;
  try {
    target = await context.kubelet.forward(pod, port);
  } catch (fault) {
    const { name, uid } = pod.metadata;
    error.end(`error forwarding port ${port} to pod ${name}, uid ${uid}: ${messageOf(fault)}`);
    data.end();
    data.resume();
    return;
  }
  join(data, target);
  await new Promise<void>((resolve) => target.once('close', resolve));
  error.end();
}

/** Each direction ends by itself; when either end breaks off, so does the other. */
function join(client: Duplex, target: Duplex): void {
  client.pipe(target);
  target.pipe(client);
  target.on('error', () => client.destroy());
  client.once('close', () => target.destroy());
}
