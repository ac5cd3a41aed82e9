import { NODE_IN_CONTAINER } from '@updraft/pods/testing';
import type { ContainerConfig } from '@updraft/oci';

/** Says who it is, as long as it lives: a word that another process would not have chosen. */
const SERVER = `
const me = require('node:os').hostname() + ' ' + require('node:crypto').randomUUID();
const server = require('node:http').createServer((request, response) => response.end(me));
server.listen(8080, () => console.log('listening ' + me));
setInterval(() => console.log('alive ' + me), 200);
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

/** Images of tests that run a cluster in a process of its own. */
export const CLUSTER_IMAGES: Readonly<Record<string, ContainerConfig>> = {
  'server:1': { Cmd: [NODE_IN_CONTAINER, '-e', SERVER] },
  'tools:1': { Cmd: ['sleep', '1000'] },
};
