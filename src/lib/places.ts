import { fileURLToPath } from 'node:url';

/** `lib` and `dist` are beside each other, so one relative path serves sources and build alike. */
export const packageDir = fileURLToPath(new URL('..', import.meta.url));
export const schemaFile = fileURLToPath(new URL('../schema/address-entry.schema.json', import.meta.url));
