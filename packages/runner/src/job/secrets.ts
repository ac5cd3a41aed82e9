import type { Job } from '@updraft/gitlab-ci';
import { Fault } from '@updraft/kit';

/**
 * Secrets and identity tokens come from GitLab's server; here whoever runs the job gives them as variables.
 * @throws Fault SECRET_MISSING that names all that are not given
 */
export function requireSecrets(job: Job, values: Readonly<Record<string, string>>): void {
  const missing = (job.requiredSecrets ?? []).filter(({ name }) => values[name] === undefined);
  if (missing.length === 0) return;
  const names = missing.map(({ name, provider }) =>
    provider === 'id_token' ? `${name} (an identity token)` : `${name} (a secret from ${provider})`,
  );
  const [first = { name: '' }] = missing;
  throw new Fault(
    'SECRET_MISSING',
    `the job ${job.name} needs ${names.join(', ')}, which only GitLab can fetch`,
    {
      next: `Give it yourself: --variable ${first.name}=VALUE, or a line of that name in a variables file.`,
    },
  );
}

/** Names of required secrets whose variable is to hold the path of a file with the value. */
export const fileSecrets = (job: Job): ReadonlySet<string> =>
  new Set((job.requiredSecrets ?? []).filter(({ file }) => file).map(({ name }) => name));
