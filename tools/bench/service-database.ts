// A PostgreSQL server with an empty database, until standard input ends. Prints its address, or nothing without one.
import { startPostgres, withoutPostgres } from '../../src/test/testing/postgres.ts';

if (withoutPostgres === undefined) {
  const server = await startPostgres();
  await server.createDatabase('bench');
  process.stdout.write(`${server.url('bench')}\n`);
  process.stdin.resume();
  process.stdin.once('end', () => void server.remove());
}
