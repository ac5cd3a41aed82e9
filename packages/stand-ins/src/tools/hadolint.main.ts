import { runTool } from './client.ts';

await runTool('hadolint', {
  env: ['HADOLINT_*', 'NO_COLOR', 'XDG_CONFIG_HOME', 'HOME'],
  readsStdin: (argv) => argv.includes('-') || argv.includes('/dev/stdin'),
});
