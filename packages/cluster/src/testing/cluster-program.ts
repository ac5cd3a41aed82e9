// A program for tests that kill a cluster: keeps one alive over a folder until it is killed. Arguments: the platform's
// id and folder, the port of the API. It says what a client needs in one line.
import { startLiveCluster } from './live-cluster.ts';
import { CLUSTER_IMAGES } from './cluster-images.ts';

const [id = '', dir = '', port = '0'] = process.argv.slice(2);
const live = await startLiveCluster(CLUSTER_IMAGES, { id, dir, apiPort: Number(port) });
const { apiPort, credentials } = live.cluster;
process.stdout.write(`${JSON.stringify({ apiPort, credentials })}\n`);
