// A program for the network's test, run in a network namespace of its own whose firewall drops everything: can pods
// reach each other and the gateway all the same, and is the firewall afterwards as it was? Prints one line of JSON.
import { run } from '@updraft/kit';
import { NODE_IN_CONTAINER, recorder, toolsContainer } from './host-tools.ts';
import { openTestPlatform } from './test-platform.ts';

const DROPPING = `table inet strict {
  chain forward { type filter hook forward priority filter; policy drop; }
  chain input { type filter hook input priority filter; policy drop; iifname "lo" accept; }
}
`;
const listed = async () => (await run('nft', ['list', 'ruleset'])).stdout;

await run('nft', ['-f', '-'], { input: DROPPING });
const before = await listed();
const platform = await openTestPlatform({ resolvers: [] });
const { network, runtime } = platform;
network.addZone({ lookup: () => [{ type: 'A', ttlSeconds: 1, data: '10.1.2.3' }] });
const [one, other] = await Promise.all(
  ['one', 'other'].map((name) => runtime.createPod({ name, hostname: name })),
);
if (!one || !other) throw new Error('no pods');
const server = `require('net').createServer(s=>s.end('hello')).listen(8080,()=>console.log('ready'))`;
await new Promise<void>((resolve) => {
  const streams = { onStdout: () => resolve(), onStderr: () => undefined };
  void one.start(toolsContainer([NODE_IN_CONTAINER, '-e', server]), streams);
});
const client = `require('dns').lookup('x.test',(e,a)=>{console.log(e?.code??a);
require('net').connect({host:'${one.address}',port:8080,timeout:3000}).on('data',d=>console.log(String(d))).on('timeout',()=>process.exit(1))})`;
const output = recorder();
await (
  await other.start(toolsContainer([NODE_IN_CONTAINER, '-e', client]), output)
).exited;
await platform.close();
process.stdout.write(
  `${JSON.stringify({ output: output.stdout, unchanged: (await listed()) === before })}\n`,
);
