import { formatReference, push } from '@updraft/oci';
import type { Credentials, Digest, Image, Reference } from '@updraft/oci';
import path from 'node:path';
import { credentialsFor } from './credentials.ts';
import type { KanikoContext } from './command.ts';
import type { Arguments } from './parse.ts';

/** A destination, and what is known of the right to push there. */
export interface Grant {
  readonly reference: Reference;
  readonly credentials: Credentials | undefined;
  readonly denied: string | undefined;
}

export async function access(reference: Reference, context: KanikoContext): Promise<Grant> {
  const config = await context.files.readText(
    `${context.env['DOCKER_CONFIG'] ?? '/kaniko/.docker'}/config.json`,
  );
  const credentials = credentialsFor(reference.registry, config, context.env);
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
  const { registry } = grant.reference;
  const ca = await certificates(registry, parsed, context);
  const { digest } = await push(context.store, image, name, {
    insecure: parsed.flag('insecure') || parsed.texts('insecure-registry').includes(registry),
    skipTlsVerify:
      parsed.flag('skip-tls-verify') || parsed.texts('skip-tls-verify-registry').includes(registry),
    signal: context.signal,
    ...(ca === '' ? {} : { ca }),
    ...(grant.credentials ? { credentials: grant.credentials } : {}),
  });
  context.out(`Pushed ${name}@${digest}`);
  return digest;
}

/** Where pipelines put the certificates that the executor is to trust. */
const BUNDLES = ['/kaniko/ssl/certs/ca-certificates.crt', '/kaniko/ssl/certs/additional-ca-cert-bundle.crt'];

async function certificates(registry: string, parsed: Arguments, context: KanikoContext): Promise<string> {
  const { files, cwd, env } = context;
  const given = parsed.texts('registry-certificate').flatMap((text) => {
    const cut = text.indexOf('=');
    return text.slice(0, cut) === registry ? [text.slice(cut + 1)] : [];
  });
  const named = [...given, env['SSL_CERT_FILE'], env['SSL_CERTIFICATE']].filter((file) => file !== undefined);
  const texts: string[] = [];
  for (const file of [...named, ...BUNDLES]) {
    // A variable may hold the certificate itself.
    const text = file.includes('-----BEGIN') ? file : await files.readText(path.posix.resolve(cwd, file));
    if (text?.includes('-----BEGIN CERTIFICATE-----')) texts.push(text);
  }
  return texts.join('\n');
}
