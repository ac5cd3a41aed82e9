import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../testing/api-under-test.ts';
import type { ApiUnderTest } from '../testing/api-under-test.ts';
import { pod } from '../testing/manifests.ts';

const NS = '/api/v1/namespaces/default';

let under: ApiUnderTest;
let server: Server;
let port: number;
beforeAll(async () => {
  under = await startApi();
  server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n');
    socket.on('data', (chunk: Buffer) => socket.end(chunk.toString().toUpperCase()));
  });
  await new Promise((resolve) => server.once('listening', resolve));
  ({ port } = server.address() as AddressInfo);
  await under.send('POST', `${NS}/pods`, { body: pod('web') });
  under.store.modify('pods', 'default', 'web', (o) => ({
    ...o,
    status: { phase: 'Running', podIP: '10.1.1.1' },
  }));
  await makeService('web', [{ addresses: ['10.1.1.1'], targetRef: { kind: 'Pod', name: 'web' } }]);
  await makeService('byhand', [{ addresses: ['127.0.0.1'] }]);
  await makeService('empty', []);
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await under.close();
});

async function makeService(name: string, endpoints: unknown[]): Promise<void> {
  const ports = [{ name: 'http', port: 80, targetPort: port }];
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports } };
  expect(await under.send('POST', `${NS}/services`, { body: service })).toMatchObject({ code: 201 });
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': name },
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port }],
    endpoints,
  };
  // As a controller would: through the API nobody writes one that leads to the loopback.
  under.store.create('endpointslices.discovery.k8s.io', slice);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.concat(await request.toArray()).toString();
  if (request.url === '/page') {
    response.setHeader('content-type', 'text/html');
    return void response.end(`<a href="/on">on</a> <a href='//elsewhere/'>away</a> <img src = '/pic'>`);
  }
  if (request.url === '/moved')
    return void response.writeHead(302, { location: `http://10.1.1.1:${port}/new` }).end();
  const { method, url, headers } = request;
  response.writeHead(url === '/teapot' ? 418 : 200, { 'x-own': 'kept' });
  response.end(JSON.stringify({ method, url, headers, body }));
}

describe('pods', () => {
  it('get the request as it was', async () => {
    const reply = await under.send('PUT', `${NS}/pods/web:${port}/proxy/a%2Fb/c?watch=true&q=%20`, {
      body: { deep: 'thought' },
      headers: { 'x-mine': 'yes' },
    });
    expect(reply.code).toBe(200);
    expect(reply.headers['x-own']).toBe('kept');
    expect(reply.body).toMatchObject({
      method: 'PUT',
      url: '/a%2Fb/c?watch=true&q=%20',
      body: '{"deep":"thought"}',
    });
    expect(reply.body.headers).toMatchObject({ 'x-mine': 'yes', host: `10.1.1.1:${port}` });
  });

  it('answer by themselves: their codes, pages and redirections lead through the proxy', async () => {
    const prefix = `${NS}/pods/http:web:${port}/proxy`;
    expect(await under.send('GET', `${prefix}/teapot`)).toMatchObject({ code: 418 });
    expect((await under.send('GET', `${prefix}/page`)).text).toBe(
      `<a href="${prefix}/on">on</a> <a href='//elsewhere/'>away</a> <img src = '${prefix}/pic'>`,
    );
    expect((await under.send('GET', `${prefix}/moved`)).headers.location).toBe(`${prefix}/new`);
    expect(await under.send('GET', prefix)).toMatchObject({ code: 301, headers: { location: `${prefix}/` } });
  });

  it('are reached with other protocols', async () => {
    const { client, ca } = under.credentials;
    const socket = connect({
      host: '127.0.0.1',
      port: under.port,
      ca,
      cert: client.certificate,
      key: client.key,
    });
    const lines = [
      `GET ${NS}/pods/web:${port}/proxy/ HTTP/1.1`,
      'Host: x',
      'Connection: Upgrade',
      'Upgrade: shout',
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.endsWith('\r\n\r\n')) socket.write('hello');
    }
    expect(text).toMatch(/^HTTP\/1.1 101 [^]*\r\n\r\nHELLO$/);
  });

  it('that nobody listens in, or that are not there, are told apart', async () => {
    expect(await under.send('GET', `${NS}/pods/web:1/proxy/`)).toMatchObject({
      code: 503,
      body: {
        reason: 'ServiceUnavailable',
        message: expect.stringMatching(/^error trying to reach service: /),
      },
    });
    expect(await under.send('GET', `${NS}/pods/nobody:80/proxy/`)).toMatchObject({ code: 404 });
    expect(await under.send('GET', `${NS}/pods/web:99999/proxy/`)).toMatchObject({ code: 400 });
    expect(await under.send('GET', `${NS}/configmaps/web/proxy/`)).toMatchObject({ code: 404 });
  });
});

describe('services', () => {
  it('are asked by the name or number of a port', async () => {
    for (const name of ['web:http', 'web:80', 'http:web:80', ':web:http'])
      expect(await under.send('GET', `${NS}/services/${name}/proxy/x`), name).toMatchObject({
        code: 200,
        body: { url: '/x' },
      });
  });

  it('without such a port, or anybody behind it, say so', async () => {
    const said = async (name: string) => (await under.send('GET', `${NS}/services/${name}/proxy/`)).body;
    expect(await said('web:81')).toMatchObject({
      code: 503,
      message: 'no service port 81 found for service "web"',
    });
    expect(await said('web')).toMatchObject({
      code: 503,
      message: 'no endpoints available for service "web"',
    });
    expect(await said('empty:80')).toMatchObject({
      code: 503,
      message: 'no endpoints available for service "empty"',
    });
  });

  it('do not lead to addresses of this machine', async () => {
    const reply = await under.send('GET', `${NS}/services/byhand:80/proxy/`);
    expect(reply.body).toMatchObject({
      code: 503,
      message: 'endpoint 127.0.0.1 of service "byhand" is no pod',
    });
  });
});

describe('who may', () => {
  it('needs the permission for the proxy, and is not made known to the pod', async () => {
    await under.send('POST', `${NS}/serviceaccounts`, { body: { metadata: { name: 'jo' } } });
    const token = under.api.tokens.issue({
      namespace: 'default',
      serviceAccount: 'jo',
      expirationSeconds: 600,
    });
    const headers = { authorization: `Bearer ${token?.token}` };
    const path = `${NS}/pods/web:${port}/proxy/x`;
    const may = (resource: string) =>
      grant(resource, { kind: 'ServiceAccount', name: 'jo', namespace: 'default' });
    await may('pods');
    expect(await under.send('GET', path, { headers, anonymous: true })).toMatchObject({ code: 403 });
    await may('pods/proxy');
    const reply = await under.send('GET', path, { headers, anonymous: true });
    expect(reply.code).toBe(200);
    expect(reply.body.headers).not.toHaveProperty('authorization');
    expect(await under.send('POST', path, { headers, anonymous: true })).toMatchObject({ code: 403 });
  });
});

async function grant(resource: string, subject: unknown): Promise<void> {
  const group = '/apis/rbac.authorization.k8s.io/v1';
  const metadata = { name: `get-${resource.replace('/', '-')}` };
  const rules = [{ apiGroups: [''], resources: [resource], verbs: ['get'] }];
  await under.send('POST', `${group}/clusterroles`, { body: { metadata, rules } });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name };
  const body = { metadata, roleRef, subjects: [subject] };
  expect(await under.send('POST', `${group}/clusterrolebindings`, { body })).toMatchObject({ code: 201 });
}
