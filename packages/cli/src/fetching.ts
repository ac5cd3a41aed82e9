/** What git, ssh, downloads and the user's own files go by; nothing else of the user's environment leaves the command. */
const NAMES = ['HOME', 'SSH_AUTH_SOCK', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'];

/** For includes from elsewhere and variables of the user: the daemon has not the user's agent, proxies and home. */
export function fetchingEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const names = NAMES.flatMap((name) => [name, name.toUpperCase()]);
  return Object.fromEntries(
    [...new Set(names)].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}
