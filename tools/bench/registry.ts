// A registry on a free port of the loopback, until its standard input ends. Prints its address.
import { serveRegistry, temporaryStore } from '@updraft/oci/testing';

const { store, remove } = await temporaryStore();
const server = await serveRegistry(store);
process.stdout.write(`${server.host}\n`);
process.stdin.resume();
process.stdin.once('end', () => void server.close().then(remove));
