import { Fault } from '@updraft/kit';

/** Every code this room throws, and what it means. Docs and tests are held against this list. */
export const CLUSTER_CODES = {
  ALREADY_EXISTS: 'an object of that name is there',
  CONFLICT: 'the object was changed since it was read',
  NOT_FOUND: 'there is no such object',
  EXPIRED: 'the asked-for revision is older than the history that is kept',
  TOO_LARGE: 'the object is larger than what is kept',
  API_REFUSED: 'the API server refused the request; the Status says why',
  PORT_IN_USE: 'no free port for a server of the cluster',
  NO_ADDRESS_LEFT: 'the range of Service addresses or node ports is used up',
  IMAGE_NOT_FOUND: 'there is no such image, here or at its registry',
  IMAGE_FORBIDDEN: 'the registry refused the credentials',
  IMAGE_PULL_FAILED: 'the image could not be fetched',
} as const;

export type ClusterCode = keyof typeof CLUSTER_CODES;

/** The cluster could not do what it was asked; the API turns it into a Kubernetes `Status`. */
export class ClusterFault extends Fault {
  override readonly name: string = 'ClusterFault';

  constructor(code: ClusterCode, message: string, options: { cause?: unknown; next?: string } = {}) {
    super(code, message, options);
  }
}
