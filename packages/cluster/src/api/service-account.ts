/** Every user that this server knows. */
export const AUTHENTICATED = 'system:authenticated';

/** The name of a service account as a user. */
export const accountUser = (namespace: string, name: string): string =>
  `system:serviceaccount:${namespace}:${name}`;

/** The groups that a namespace's service accounts are in. */
export const accountGroups = (namespace: string): string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
];
