// Makes the linter's configuration from the table of rooms. oxlint reads JSON, so `tools/lint.mjs` writes the
// result to dist/oxlintrc.json before each run: the table can never be older than the rules.
import { PURE, ROOMS, packageName } from './architecture.mjs';

const SIZE_RULES = {
  'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
  'max-lines-per-function': ['error', { max: 60 }],
  complexity: ['error', { max: 12 }],
  'max-params': ['error', { max: 4 }],
  'max-depth': ['error', { max: 3 }],
};

const DANGER_RULES = {
  'updraft/no-shell-string': 'error',
  'updraft/no-ambient-clock': 'error',
  'updraft/no-ambient-environment': 'error',
  'updraft/no-terminal-colour': 'error',
};

function boundaryRule(room) {
  const forbidden = Object.keys(ROOMS)
    .filter((other) => other !== room && !ROOMS[room].includes(other))
    .map((other) => `^${packageName(other)}(/|$)`);
  const patterns = [
    ...forbidden.map((regex) => ({
      regex,
      message: `${room} may not import this room (tools/architecture.mjs)`,
    })),
    {
      regex: '^(\\.\\./)+(packages/)?(' + Object.keys(ROOMS).join('|') + ')/src',
      message: 'go through the room’s door',
    },
  ];
  if (PURE.includes(room)) {
    patterns.push({ regex: '^node:', message: `${room} is pure: it imports no Node module` });
  }
  return ['error', { patterns }];
}

function roomOverride(room) {
  return {
    files: [`**/packages/${room}/src/**/*.ts`],
    rules: { 'no-restricted-imports': boundaryRule(room), ...DANGER_RULES },
  };
}

export function oxlintConfig(pluginPath) {
  return {
    plugins: ['typescript', 'import', 'unicorn', 'oxc', 'promise'],
    jsPlugins: [pluginPath],
    categories: { correctness: 'error', suspicious: 'error' },
    rules: {
      'import/no-cycle': 'error',
      'import/no-unassigned-import': 'off',
      'no-explicit-any': 'off',
      'typescript/no-explicit-any': 'error',
      'typescript/no-floating-promises': 'error',
      'typescript/no-misused-promises': 'error',
      'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'unicorn/filename-case': ['error', { case: 'kebabCase' }],
      'no-await-in-loop': 'off',
      'no-shadow': 'off',
      // Off because they are wrong about this code: the checker already proves exhaustive returns, fast-check's default
      // export is its documented form, and loop conditions change in callbacks.
      'typescript/consistent-return': 'off',
      'typescript/unbound-method': 'off',
      'import/no-named-as-default-member': 'off',
      'no-unmodified-loop-condition': 'off',
      'unicorn/consistent-function-scoping': 'off',
      'typescript/no-unsafe-type-assertion': 'off',
      ...SIZE_RULES,
    },
    overrides: [
      ...Object.keys(ROOMS).map(roomOverride),
      // Tests may import any room's door, run long scenarios and read the real clock.
      {
        files: ['**/*.test.ts', '**/testing/**/*.ts', '**/tests/**/*.ts'],
        rules: {
          'max-lines': ['error', { max: 600 }],
          'max-lines-per-function': 'off',
          'updraft/no-ambient-clock': 'off',
          'updraft/no-ambient-environment': 'off',
        },
      },
      {
        files: ['**/*.gen.ts', '**/*.table.ts'],
        rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
      },
    ],
  };
}
