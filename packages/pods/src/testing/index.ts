/**
 * For tests of this room and of those that run pods: the suite every runtime passes, a root made of the host's
 * programs, and a runtime whose containers behave as they are told.
 * @module
 */
export { NODE_IN_CONTAINER, hostToolsMounts, recorder, toolsContainer } from './host-tools.ts';
export { testRuntime } from './suite.ts';
export type { RuntimeSuite, RuntimeUnderTest } from './suite.ts';
export { createFakeRuntime } from './fake-runtime.ts';
export type { FakeBehaviour, FakeContainer, FakeRuntime } from './fake-runtime.ts';
export { openTestPlatform } from './test-platform.ts';
export type { TestPlatform } from './test-platform.ts';
