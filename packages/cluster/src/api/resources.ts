export { RESOURCES } from './resources.table.ts';
export type { ServedResource } from './resources.table.ts';

/** `v1`, `apps/v1`. */
export function apiVersionOf(type: { readonly group: string; readonly version: string }): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}
