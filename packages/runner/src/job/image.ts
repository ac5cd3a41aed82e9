import type { ImageConfig } from '@updraft/oci';

/** PATH when an image sets none: what Docker gives. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The environment an image brings. */
export function containerEnv(config: ImageConfig): Record<string, string> {
  const env: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const entry of config.config?.Env ?? []) {
    const cut = entry.indexOf('=');
    if (cut > 0) env[entry.slice(0, cut)] = entry.slice(cut + 1);
  }
  return env;
}

/** Entrypoint and command; given ones replace the image's, and a given entrypoint drops the image's command. */
export function entryCommand(
  config: ImageConfig,
  entrypoint: readonly string[] | undefined,
  command: readonly string[] | undefined,
): readonly string[] {
  const first = entrypoint ?? config.config?.Entrypoint ?? [];
  const rest = command ?? (entrypoint === undefined ? (config.config?.Cmd ?? []) : []);
  return [...first, ...rest].filter((word, index) => word !== '' || index > 0);
}

/** TCP ports that the image says it serves, ascending. */
export function exposedPorts(config: ImageConfig): readonly number[] {
  return Object.keys(config.config?.ExposedPorts ?? {})
    .filter((port) => !port.endsWith('/udp'))
    .map((port) => Number.parseInt(port, 10))
    .toSorted((a, b) => a - b);
}
