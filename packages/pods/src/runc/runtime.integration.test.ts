import { openTestPlatform, testRuntime, toolsContainer } from '../testing/index.ts';

testRuntime({
  name: 'runc',
  create: async () => {
    const platform = await openTestPlatform();
    return { runtime: platform.runtime, container: toolsContainer, close: () => platform.close() };
  },
});
