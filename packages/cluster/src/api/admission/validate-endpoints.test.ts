import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';

const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const ENDPOINTS = '/api/v1/namespaces/default/endpoints';

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

async function problemsOf(path: string, body: object): Promise<string[]> {
  const reply = await under.send('POST', path, { body });
  const causes = reply.body.details?.causes as { field: string; message: string }[] | undefined;
  return causes?.map(({ field, message }) => `${field}: ${message}`) ?? [String(reply.code)];
}
const slice = (addresses: string[], more: object = {}) => ({
  metadata: { generateName: 's-' },
  addressType: 'IPv4',
  endpoints: [{ addresses }],
  ports: [{ port: 80 }],
  ...more,
});
const endpoints = (subset: object) => ({ metadata: { name: 'e' }, subsets: [subset] });

it.each([
  ['127.0.0.1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['127.8.8.8', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['0.0.0.0', 'may not be unspecified (0.0.0.0 or ::)'],
  ['169.254.169.254', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  ['224.0.0.1', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
  ['localhost', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  ['0177.0.0.1', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
])('nobody is led to %s, by slices or by endpoints', async (address, why) => {
  const message = `Invalid value: "${address}": ${why}`;
  expect(await problemsOf(SLICES, slice([address]))).toEqual([`endpoints[0].addresses[0]: ${message}`]);
  const body = endpoints({ notReadyAddresses: [{ ip: address }] });
  expect(await problemsOf(ENDPOINTS, body)).toEqual([`subsets[0].notReadyAddresses[0].ip: ${message}`]);
});

it.each([
  [
    slice(['::1'], { addressType: 'IPv6' }),
    [
      'endpoints[0].addresses[0]: ' +
        'Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ],
  [
    slice(['::ffff:127.0.0.1'], { addressType: 'IPv6' }),
    [
      'endpoints[0].addresses[0]: ' +
        'Invalid value: "::ffff:127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ],
  [
    slice(['2001:db8::1']),
    ['endpoints[0].addresses[0]: Invalid value: "2001:db8::1": must be an IPv4 address'],
  ],
  [slice([]), ['endpoints[0].addresses: Required value: must contain at least 1 address']],
  [
    slice(['10.1.1.1'], { addressType: 'Pigeon' }),
    ['addressType: Unsupported value: "Pigeon": supported values: "FQDN", "IPv4", "IPv6"'],
  ],
  [
    slice(['10.1.1.1'], { ports: [{ port: 70_000 }] }),
    ['ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    slice(['10.1.1.1'], { ports: [{ port: 1, protocol: 'X' }] }),
    ['ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"'],
  ],
  [slice(['a.example'], { addressType: 'FQDN' }), ['201']],
  [slice(['10.1.1.1']), ['201']],
])('slice %#', async (body, expected) => {
  expect(await problemsOf(SLICES, body)).toEqual(expected);
});

it('a slice keeps its type of addresses', async () => {
  const made = await under.send('POST', SLICES, { body: slice(['10.1.1.1']) });
  const body = { ...made.body, addressType: 'FQDN', endpoints: [{ addresses: ['a.example'] }] };
  const reply = await under.send('PUT', `${SLICES}/${made.body.metadata.name}`, { body });
  expect([reply.code, reply.body.message]).toEqual([422, expect.stringContaining('addressType')]);
});
