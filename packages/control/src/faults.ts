/** What the user named does not exist, or their repository is not what it must be: not the machine is to blame. */
const USERS_FAULTS: ReadonlySet<string> = new Set([
  'NOT_A_REPOSITORY',
  'NO_COMMITS',
  'UNKNOWN_REF',
  'DUBIOUS_OWNERSHIP',
  'SELECTION_INVALID',
  'VARIABLES_INVALID',
  'KUBECONFIG_INVALID',
  'KUBECONFIG_UNSUPPORTED',
]);

/** Whether a fault of this code is an answer of 4xx and the exit code 2, instead of 5xx and 3. */
export const isUsersFault = (code: string | undefined): boolean =>
  code !== undefined && USERS_FAULTS.has(code);
