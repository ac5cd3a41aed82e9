import { silentLogger, systemClock } from '@updraft/kit';
import {
  createApiServer,
  createCredentials,
  kubeconfigYaml,
  openResourceStore,
  requestDeletion,
} from '@updraft/cluster';
import type { KubeletPort } from '@updraft/cluster';

/** The API alone: a store, a server, a kubeconfig, and one object that comes and goes. */
export async function example(dir: string, kubelet: KubeletPort): Promise<string[]> {
  const clock = systemClock;
  const store = openResourceStore({ file: `${dir}/cluster.db`, clock });
  const credentials = await createCredentials(`${dir}/certificates`, { clock });
  const options = { serviceCidr: '10.96.0.0/16', version: '0.1.0', logger: silentLogger };
  const server = createApiServer({ store, kubelet, credentials, clock, ...options });
  const port = await server.listen({ port: 0, addresses: ['127.0.0.1'] });
  // `kubectl --kubeconfig` takes this.
  const kubeconfig = kubeconfigYaml(credentials, `https://127.0.0.1:${port}`);

  const seen: string[] = [kubeconfig.includes('client-certificate-data') ? 'kubeconfig' : ''];
  const stop = store.watch((event) =>
    seen.push(`${event.type} ${event.resource} ${event.object.metadata.name}`),
  );
  const metadata = {
    name: 'greeting',
    namespace: 'default',
    uid: '',
    resourceVersion: '',
    creationTimestamp: '',
  };
  store.create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { hello: 'world' } });
  requestDeletion({ store, clock }, { resource: 'configmaps', namespace: 'default', name: 'greeting' });
  stop();
  await server.close();
  store.close();
  return seen;
}
