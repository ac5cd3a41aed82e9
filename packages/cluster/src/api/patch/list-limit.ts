import { ApiFault } from '../status.ts';

/** More than any object of a team has; each item is looked for among all others. */
const LONGEST_LIST = 2000;

/**
 * Lists are merged item by item, in a time that grows with the product of their lengths: longer ones would hold everybody
 * up. @throws ApiFault 413
 */
export function checkListsForMerge(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value) && value.length > LONGEST_LIST) {
    const words = `lists of more than ${LONGEST_LIST} items are not merged: send the whole object, or a JSON patch`;
    throw new ApiFault(413, 'RequestEntityTooLarge', words);
  }
  for (const member of Object.values(value) as unknown[]) checkListsForMerge(member);
}
