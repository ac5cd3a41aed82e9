import { expect, test } from 'vitest';
import type { Pod } from '../kinds/pod.ts';
import type { Grant } from '../types.ts';
import { securityOf } from './security.ts';

const pod = { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { containers: [] } } as unknown as Pod;
const security = (add: string[], grants: Grant[] = []) =>
  securityOf(
    pod,
    { name: 'c', securityContext: { capabilities: { add } } },
    { imageUser: '', grants: new Set(grants) },
  );

test.each([
  'SYS_ADMIN',
  'CAP_SYS_ADMIN',
  'sys_admin',
  'ALL',
  'SYS_MODULE',
  'DAC_READ_SEARCH',
  'BPF',
  'NO_SUCH',
])('with %s a container is as good as privileged', (name) => {
  expect(() => security(['NET_ADMIN', name])).toThrow(
    `capability ${name}: privileged is not allowed on this cluster`,
  );
  expect(security([name], ['privileged'])).toMatchObject({ addCapabilities: [name] });
});

test('what is held against its own namespaces alone may be added', () => {
  const names = ['NET_ADMIN', 'CAP_SYS_PTRACE', 'IPC_LOCK', 'SYS_NICE'];
  expect(security(names)).toMatchObject({ addCapabilities: names });
});
