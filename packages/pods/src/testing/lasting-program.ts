// A program for the test of `adopt`: runs a lasting pod until it is killed. Arguments: the platform's id and folder, a
// command for the shell.
import { openTestPlatform } from './test-platform.ts';
import { toolsContainer } from './host-tools.ts';

const [id = '', dir = '', script = ''] = process.argv.slice(2);
const { runtime } = await openTestPlatform({ id, dir });
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);
const heard = (chunk: Buffer) => void say({ printed: chunk.toString() });
const fleeting = await runtime.createPod({ name: 'fleeting', hostname: 'fleeting' });
const job = await fleeting.start(toolsContainer(['sleep', '1000']), { onStdout: heard, onStderr: heard });
const pod = await runtime.createPod({ name: 'kept', hostname: 'kept', lasting: true, labels: { app: 'x' } });
const spec = toolsContainer(['sh', '-c', script], { labels: { restarts: '3' } });
const container = await pod.start(spec, { onStdout: heard, onStderr: heard });
say({ pid: container.pid, jobPid: job.pid, address: pod.address });
