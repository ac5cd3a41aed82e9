/**
 * A git repository, read through the program git: facts about a commit, its tree, and a checkout that jobs may
 * write to. Nothing here changes the repository it is given.
 * @module
 */
export { lastChangeMs } from './last-change.ts';
export { applyWorkTree, workTreeKey } from './apply-work-tree.ts';
export { checkout } from './checkout.ts';
export type { CheckedOut, CheckoutOptions } from './checkout.ts';
export { checkoutWish } from './checkout-options.ts';
export type { CheckoutWish } from './checkout-options.ts';
export { changedSince, mergeBase } from './compare.ts';
export { readCommit } from './commit.ts';
export type { Commit, CommitSelection, MergeRequest } from './commit.ts';
export { GitFault, codes } from './faults.ts';
export type { GitFaultCode } from './faults.ts';
export { openRemote } from './remote.ts';
export type { RemoteOptions, RemoteRefs, RemoteRepository } from './remote.ts';
export { remoteAddress } from './settings.ts';
export { changedFiles, findRepository } from './repository.ts';
export { readTree } from './tree.ts';
export type { Files } from './tree.ts';
export { isDirty, isTracked, readWorkTree, uncommittedPaths } from './work-tree.ts';
export type { WorkTreeState } from './work-tree.ts';
