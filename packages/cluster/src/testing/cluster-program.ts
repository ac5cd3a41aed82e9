// A program for tests that kill a cluster: keeps one alive over a folder until it is killed. Arguments: the platform's
// id and folder, the port of the API. It says what a client needs in one line; to SIGUSR2 what memory it needs, where
// Node was started with --expose-gc. What goes wrong is on stderr.
import { jsonLogger } from '@updraft/kit';
import { startLiveCluster } from './live-cluster.ts';
import { CLUSTER_IMAGES } from './cluster-images.ts';

const [id = '', dir = '', port = '0'] = process.argv.slice(2);
const logger = jsonLogger((line) => {
  if (/"level":"(warn|error)"/.test(line)) process.stderr.write(line);
});
const live = await startLiveCluster(CLUSTER_IMAGES, { id, dir, apiPort: Number(port), logger });
const { apiPort, ingressPort, credentials } = live.cluster;
process.stdout.write(`${JSON.stringify({ apiPort, ingressPort, credentials })}\n`);
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ rss, heapUsed })}\n`);
});
