import { parseFlags } from '../command/flags.ts';
import type { FlagSpec, ParsedFlags } from '../command/flags.ts';
import type { TrivyIo } from './trivy-io.ts';

const FLAGS: readonly FlagSpec[] = [
  { name: 'username', short: 'u', kind: 'value' },
  { name: 'password', short: 'p', kind: 'value' },
  { name: 'password-stdin', kind: 'switch' },
  { name: 'insecure', kind: 'switch' },
  { name: 'debug', short: 'd', kind: 'switch' },
  { name: 'quiet', short: 'q', kind: 'switch' },
  { name: 'cache-dir', kind: 'value' },
];

/** `trivy registry login` and `logout`. */
export async function registryCommand(argv: readonly string[], io: TrivyIo): Promise<number> {
  const flags = parseFlags(argv, FLAGS);
  const [verb, registry = ''] = flags.positionals;
  const wrong = [...flags.errors, ...usageErrors(verb, registry)];
  if (wrong.length > 0) return fail(io, wrong);
  return verb === 'logout' ? 0 : login(registry, flags, io);
}

async function login(registry: string, { values }: ParsedFlags, io: TrivyIo): Promise<number> {
  const username = values.get('username')?.[0] ?? io.env['TRIVY_USERNAME'] ?? '';
  const password = await readPassword(values, io);
  if (username === '' || password === '')
    return fail(io, ['registry login needs a user name and a password']);
  if (io.login === undefined)
    io.stderr('trivy: no login needed: images come from the platform’s own store\n');
  await io.login?.(registry, { username, password });
  return 0;
}

async function readPassword(values: ParsedFlags['values'], io: TrivyIo): Promise<string> {
  if (values.has('password-stdin')) return (await io.stdin()).replace(/\r?\n$/, '');
  return values.get('password')?.[0] ?? io.env['TRIVY_PASSWORD'] ?? '';
}

function usageErrors(verb: string | undefined, registry: string): readonly string[] {
  if (verb !== 'login' && verb !== 'logout')
    return [`trivy registry knows login and logout, not ${verb ?? 'nothing'}`];
  return registry === '' ? ['no registry is named'] : [];
}

function fail(io: TrivyIo, errors: readonly string[]): number {
  for (const error of errors) io.stderr(`trivy: error: ${error}\n`);
  return 1;
}
