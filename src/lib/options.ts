import { parseArgs } from 'node:util';
import { StartFault } from './fault.ts';

export interface Options {
  readonly config: string;
  readonly host: string;
  readonly port: number;
  readonly debug: boolean;
}

export const USAGE = `Usage: addrservice --config FILE [--port 8080] [--host ADDRESS] [--debug]

  --config FILE   YAML configuration, e.g. configs/addressbook-local.yaml
  --port PORT     where to listen; 0 takes a free one (default 8080)
  --host ADDRESS  on which address (default: all)
  --debug         error bodies carry a trace, probes are logged; never for the public
`;

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        config: { type: 'string' },
        port: { type: 'string', default: '8080' },
        host: { type: 'string', default: '::' },
        debug: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new StartFault(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

/** undefined: help was asked for. @throws StartFault */
export function readOptions(args: readonly string[]): Options | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  if (values.config === undefined) throw new StartFault(`--config is missing\n\n${USAGE}`);
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535)
    throw new StartFault(`--port ${values.port} is no port`);
  return { config: values.config, host: values.host, port, debug: values.debug };
}
