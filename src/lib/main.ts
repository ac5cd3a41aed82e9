import { StartFault } from './fault.ts';
import { USAGE, readOptions } from './options.ts';
import { ServiceLog } from './request-log.ts';
import { startService, type RunningService } from './service.ts';

const log = new ServiceLog({ write: (text) => process.stdout.write(text), pretty: process.stdout.isTTY });
// A reader that goes away (`| head`) must not end the service.
process.stdout.on('error', () => undefined);
// However it ends, a crash included: what was logged is written.
process.on('exit', () => log.flush());

/** As PID 1 there are no default actions: without these handlers SIGTERM would do nothing. */
function stopOnSignals(service: RunningService): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143);
      stopping = true;
      service.stop(signal).then(
        () => process.exit(0),
        (error: unknown) => {
          log.error('could not stop cleanly', { error: String(error) });
          process.exit(1);
        },
      );
    });
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(USAGE);
  else stopOnSignals(await startService(options, log, process.env));
} catch (error) {
  if (!(error instanceof StartFault)) throw error;
  process.stderr.write(`addrservice: ${error.message}\n`);
  process.exitCode = 2;
}
