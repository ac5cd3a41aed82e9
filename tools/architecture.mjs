// The table of rooms: which package may import which. Everything else that knows the arrows is made from it:
// the linter's import rules (tools/oxlint-config.mjs), the packages' dependencies and the drawing in
// docs/architecture.md are held against it by tools/architecture.test.ts.

/** Rooms that may import no Node module: what they do depends on their arguments alone. */
export const PURE = ['gitlab-ci', 'dockerfile', 'control'];

/** room -> rooms it may import. The level of a room is one more than the highest level it imports. */
export const ROOMS = {
  kit: [],
  'gitlab-ci': [],
  dockerfile: [],
  control: [],
  git: ['kit'],
  project: ['kit', 'gitlab-ci', 'git'],
  oci: ['kit'],
  pods: ['kit'],
  builder: ['kit', 'dockerfile', 'oci', 'pods'],
  gates: ['kit', 'dockerfile', 'oci'],
  cluster: ['kit', 'oci', 'pods'],
  'stand-ins': ['kit', 'oci', 'builder'],
  runner: ['kit', 'gitlab-ci', 'oci', 'pods'],
  daemon: [
    'kit',
    'gitlab-ci',
    'control',
    'git',
    'project',
    'oci',
    'pods',
    'builder',
    'gates',
    'cluster',
    'stand-ins',
    'runner',
  ],
  cli: ['kit', 'control', 'git', 'gitlab-ci', 'project', 'gates'],
};

export const packageName = (room) => `@updraft/${room}`;
