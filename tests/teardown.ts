import { root, updraft } from './harness.ts';

/** After the last test: the shared platform's images stay for the next time, nothing of it keeps running. */
export async function teardown(): Promise<void> {
  const { code, stderr } = await updraft(['down'], { cwd: root });
  if (code !== 0) throw new Error(`updraft down failed: ${stderr}`);
}
