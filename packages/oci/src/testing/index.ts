/**
 * Doubles for other rooms' tests: a store in a temporary folder, and images with made-up content.
 * @module
 */
export { randomImage } from './random-image.ts';
export type { RandomImageOptions } from './random-image.ts';
export { temporaryStore } from './temporary-store.ts';
export type { TemporaryStore } from './temporary-store.ts';
export { makeTar } from './make-tar.ts';
export type { TarMember } from './make-tar.ts';
export { TEST_CREDENTIALS, serve, serveRegistry } from './registry-server.ts';
export type { TestServer } from './registry-server.ts';
