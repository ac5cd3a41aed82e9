import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '@updraft/kit';

/** Credentials of the embedded registry: one user that may push, one that may only pull (for image pull secrets). */
export interface RegistrySecrets {
  readonly pushUser: string;
  readonly pushPassword: string;
  readonly pullUser: string;
  readonly pullPassword: string;
}

/** Made once for each home, kept readable for root alone. */
export async function registrySecrets(home: string): Promise<RegistrySecrets> {
  const file = path.join(home, 'registry-credentials.json');
  const known = await readTextIfPresent(file);
  if (known !== undefined) return JSON.parse(known) as RegistrySecrets;
  const secrets: RegistrySecrets = {
    pushUser: 'updraft',
    pushPassword: randomBytes(24).toString('base64url'),
    pullUser: 'updraft-deploy',
    pullPassword: randomBytes(24).toString('base64url'),
  };
  await writeFileAtomic(file, JSON.stringify(secrets), { mode: 0o600 });
  return secrets;
}
