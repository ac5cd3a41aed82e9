import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Undo } from '@updraft/kit';
import type { Build } from '../build.ts';
import { sshAgent } from './ssh-agent.ts';

test('what is said to the socket reaches the agent, and its answer comes back; also from a deep folder', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), `updraft-ssh-${'x'.repeat(90)}`));
  const agent = createServer((client) => client.on('data', (data) => client.end(`<${data.toString()}>`)));
  const socket = path.join(tmpdir(), `updraft-agent-${process.pid}`);
  await once(agent.listen(socket), 'listening');
  const undo = new Undo();
  try {
    const build = { request: { ssh: { mine: socket } } } as unknown as Build;
    const mount = {
      type: 'ssh',
      id: 'mine',
      target: '/a',
      required: true,
      mode: 0o640,
      uid: 0,
      gid: 0,
    } as const;
    const made = await sshAgent(build, mount, { index: 3, folder, undo });
    if (made?.mount.kind !== 'bind') throw new Error('no mount');
    expect([made.target, made.mount.target, (await stat(made.mount.source)).mode & 0o777]).toEqual([
      '/a',
      '/a',
      0o640,
    ]);
    // Its path is too long to connect to; the container sees it by a short one.
    const descriptor = openSync(path.dirname(made.mount.source), 'r');
    const talk = connect(`/proc/self/fd/${descriptor}/${path.basename(made.mount.source)}`);
    talk.write('question');
    const [answer] = (await once(talk, 'data')) as [Buffer];
    closeSync(descriptor);
    talk.destroy();
    expect(answer.toString()).toBe('<question>');
    await undo.close();
    await expect(sshAgent(build, { ...mount, id: 'other' }, { index: 0, folder, undo })).rejects.toThrow(
      'no SSH agent',
    );
  } finally {
    agent.close();
    await undo.close();
    await rm(folder, { recursive: true });
  }
});
