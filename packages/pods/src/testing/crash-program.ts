// A program for the test of `sweep`: runs pods until it is killed. Arguments: the platform's id and folder.
import { openTestPlatform } from './test-platform.ts';
import { toolsContainer } from './host-tools.ts';

const [id = '', dir = ''] = process.argv.slice(2);
const { runtime } = await openTestPlatform({ id, dir });
const silent = { onStdout: () => undefined, onStderr: () => undefined };
const pids: (number | undefined)[] = [];
for (const name of ['one', 'two']) {
  const pod = await runtime.createPod({ name, hostname: name, gatewayPortsOnLoopback: [80] });
  const container = await pod.start(toolsContainer(['sh', '-c', 'sleep 1000 & exec sleep 1000']), silent);
  pids.push(container.pid);
}
process.stdout.write(`${JSON.stringify(pids)}\n`);
