/** What git, ssh and downloads go by; nothing else of the user's environment leaves the command. */
const NAMES = ['SSH_AUTH_SOCK', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'];

/** For includes from elsewhere: the daemon has not the user's agent and proxies. */
export function fetchingEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const names = NAMES.flatMap((name) => [name, name.toUpperCase()]);
  return Object.fromEntries(
    [...new Set(names)].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}
