import { formatReference, push } from '@updraft/oci';
import type { Credentials, Digest, Image, Reference } from '@updraft/oci';
import type { KanikoContext } from './command.ts';
import type { Arguments } from './parse.ts';
import { credentialsOf, transportOf } from './registries.ts';

/** A destination, and what is known of the right to push there. */
export interface Grant {
  readonly reference: Reference;
  readonly credentials: Credentials | undefined;
  readonly denied: string | undefined;
}

export async function access(reference: Reference, context: KanikoContext): Promise<Grant> {
  const credentials = await credentialsOf(reference.registry, context);
  const isOurs = reference.registry === context.registryHost;
  if (!isOurs) return { reference, credentials, denied: undefined };
  const allowed = credentials !== undefined && context.mayPush(credentials, reference.repository);
  const why =
    credentials === undefined ? 'no credentials for it were found' : 'the credentials are not accepted';
  const denied = allowed ? undefined : `pushing to ${formatReference(reference)} is not allowed: ${why}`;
  return { reference, credentials, denied };
}

/** Brings the image to where it was to go. @returns its digest there: what had to be compressed has another one. */
export async function send(
  grant: Grant,
  image: Image,
  parsed: Arguments,
  context: KanikoContext,
): Promise<Digest> {
  const name = formatReference(grant.reference);
  if (grant.reference.registry === context.registryHost) {
    await context.store.tag(name, image.digest);
    context.out(`Pushed ${name}`);
    return image.digest;
  }
  const { digest } = await push(context.store, image, name, {
    ...(await transportOf(grant.reference.registry, 'push', parsed, context)),
    signal: context.signal,
    ...(grant.credentials ? { credentials: grant.credentials } : {}),
  });
  context.out(`Pushed ${name}@${digest}`);
  return digest;
}
