import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '@updraft/kit';
import type { RunResult } from '@updraft/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startApi } from './testing/api-under-test.ts';
import type { ApiUnderTest } from './testing/api-under-test.ts';
import { findKubectl } from './testing/clients.ts';
import { deployment } from './testing/manifests.ts';

const kubectl = await findKubectl();
if (!kubectl)
  console.log('kubectl is neither on PATH nor named by UPDRAFT_TEST_KUBECTL: its tests are skipped');

let under: ApiUnderTest;
beforeAll(async () => {
  under = await startApi();
});
afterAll(() => under.close());

async function kube(args: string, input?: string): Promise<RunResult> {
  const env = { KUBECONFIG: under.kubeconfig, HOME: under.dir };
  return run(kubectl ?? '', args.split(' '), input === undefined ? { env } : { env, input });
}

async function succeeds(args: string, input?: string): Promise<string> {
  const result = await kube(args, input);
  expect(result.stderr.replaceAll(/^Warning: .*\n/gm, '')).toBe('');
  expect(result.code).toBe(0);
  return result.stdout;
}

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'crontabs.stable.example.com' },
  spec: {
    group: 'stable.example.com',
    scope: 'Namespaced',
    names: {
      plural: 'crontabs',
      singular: 'crontab',
      kind: 'CronTab',
      shortNames: ['ct'],
      categories: ['all'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
        additionalPrinterColumns: [
          { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['cronSpec'],
                properties: {
                  cronSpec: { type: 'string', description: 'When it runs' },
                  note: { type: 'string' },
                  replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
                },
              },
            },
          },
        },
      },
    ],
  },
};

/** What a Deployment's controller would write. */
function pretendReady(name: string): void {
  under.store.modify('deployments.apps', 'default', name, (object) => {
    const replicas = object.spec?.['replicas'] as number;
    const counts = {
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
    };
    const conditions = [{ type: 'Available', status: 'True' }];
    return { ...object, status: { ...counts, conditions, observedGeneration: object.metadata.generation } };
  });
}

describe.skipIf(!kubectl)('kubectl', () => {
  it('creates and applies a List, for which it insists on a schema of its own', async () => {
    const map = (name: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data: { a: 'b' },
    });
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [map('one-of'), map('two-of')] });
    expect(await succeeds('create -f -', list)).toContain('configmap/two-of created');
    expect(await succeeds('apply -f -', list)).toContain('configmap/two-of configured');
  });

  it('creates every kind it has a command for, in protobuf', async () => {
    await succeeds('create namespace made');
    const kinds = [
      'configmap c --from-literal=a=b',
      'secret generic s --from-literal=a=b',
      'secret docker-registry d --docker-username=u --docker-password=p --docker-server=h',
      'serviceaccount sa',
      'deployment d --image=a:1 --replicas=2',
      'service clusterip svc --tcp=80:8080',
      'ingress i --rule=a.localhost/*=svc:80',
      'role r --verb=get --resource=pods',
      'rolebinding rb --role=r --serviceaccount=made:sa',
      'quota q --hard=cpu=1',
      'poddisruptionbudget p --selector=app=d --min-available=1',
      'job j --image=a',
      'cronjob cj --image=a --schedule=@daily',
    ];
    for (const kind of kinds) expect(await succeeds(`create -n made ${kind}`)).toContain('created');
    const made = under.store.get('deployments.apps', 'made', 'd');
    expect(made?.spec).toMatchObject({ replicas: 2, selector: { matchLabels: { app: 'd' } } });
    expect(under.store.get('secrets', 'made', 's')?.['data']).toEqual({ a: 'Yg==' });
    expect(await succeeds('create -n made token sa')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('applies, finds nothing to change, changes, and shows the difference', async () => {
    const first = stringify(deployment('web'));
    const second = stringify(deployment('web', { image: 'registry.local/app:2' }));
    expect(await succeeds('apply -f -', first)).toBe('deployment.apps/web created\n');
    expect(await succeeds('apply -f -', first)).toBe('deployment.apps/web unchanged\n');
    const file = path.join(under.dir, 'second.yaml');
    await writeFile(file, second);
    const diff = await kube(`diff -f ${file}`);
    expect([diff.code, diff.stdout.includes('+      - image: registry.local/app:2')]).toEqual([1, true]);
    expect(await succeeds('apply -f -', second)).toBe('deployment.apps/web configured\n');
    expect(await succeeds('apply --server-side -f -', second)).toContain('serverside-applied');
    const conflict = await kube('apply --server-side --field-manager=other -f -', first);
    expect(conflict.stderr).toContain('Apply failed with 1 conflict');
    expect(conflict.stderr).toContain('.spec.template.spec.containers[name="app"].image');
  });

  it('waits for a rollout, restarts, scales, patches, labels', async () => {
    await succeeds('apply -f -', stringify(deployment('roll', { replicas: 1 })));
    const rollout = kube('rollout status deployment/roll --timeout=20s');
    const waiting = kube('wait --for=condition=Available deployment/roll --timeout=20s');
    pretendReady('roll');
    expect((await rollout).stdout).toContain('successfully rolled out');
    expect((await waiting).stdout).toContain('condition met');
    expect(await succeeds('scale deployment/roll --replicas=3')).toContain('scaled');
    expect(await succeeds('rollout restart deployment/roll')).toContain('restarted');
    expect(await succeeds('set image deployment/roll app=a:9')).toContain('image updated');
    expect(await succeeds('label deployment/roll x=y')).toContain('labeled');
    expect(await succeeds('patch deployment/roll -p {"spec":{"replicas":4}}')).toContain('patched');
    const stored = under.store.get('deployments.apps', 'default', 'roll');
    expect(stored?.spec).toMatchObject({
      replicas: 4,
      template: { spec: { containers: [{ image: 'a:9' }] } },
    });
    expect(await succeeds('get deployment roll')).toMatch(
      /NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nroll +1\/4/,
    );
    expect(await succeeds('describe deployment roll')).toContain('Image:         a:9');
  });

  it('reads logs and runs commands', async () => {
    await succeeds('run talker --image=a:1');
    under.store.modify('pods', 'default', 'talker', (object) => ({
      ...object,
      spec: { ...object.spec, nodeName: 'n' },
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'talker', ready: true, state: { running: {} } }],
      },
    }));
    expect(await succeeds('get pods talker')).toMatch(/talker +1\/1 +Running +0/);
    expect(await succeeds('logs talker --tail=3')).toContain('"tailLines":3');
    expect(await succeeds('exec talker -- say hello')).toBe('say hello\n');
    expect(await succeeds('exec -i talker -- cat', 'through')).toBe('through');
    const failed = await kube('exec talker -- exit 3');
    expect([failed.code, failed.stderr]).toEqual([3, 'command terminated with exit code 3\n']);
    const deletion = kube('delete pod talker --timeout=20s');
    while (!under.store.get('pods', 'default', 'talker')?.metadata.deletionTimestamp)
      await new Promise(setImmediate);
    under.store.remove('pods', 'default', 'talker');
    expect((await deletion).stdout).toContain('deleted');
  });

  it('makes kinds of its own: defines, waits, explains, applies, scales, and takes all of it away', async () => {
    await succeeds('apply -f -', stringify(DEFINITION));
    await succeeds('wait --for=condition=established crd/crontabs.stable.example.com --timeout=10s');
    const tab = {
      apiVersion: 'stable.example.com/v1',
      kind: 'CronTab',
      metadata: { name: 'my' },
      spec: { cronSpec: '* * * * */5' },
    };
    expect(await succeeds('apply -f -', stringify(tab))).toContain('created');
    expect(await succeeds('apply -f -', stringify(tab))).toContain('unchanged');
    expect(await succeeds('get ct')).toMatch(/NAME +SPEC +REPLICAS +AGE\nmy +\* \* \* \* \*\/5 +1 +/);
    expect(await succeeds('get all')).toContain('crontab.stable.example.com/my');
    expect(await succeeds('explain crontab.spec.cronSpec')).toContain('When it runs');
    expect(await succeeds('scale ct/my --replicas=3')).toContain('scaled');
    expect(await succeeds('patch ct my --type=merge -p {"spec":{"note":"x"}}')).toContain('patched');
    // What kubectl has applied before is its own by either way of applying; the note is somebody else's.
    const applied = stringify({ ...tab, spec: { cronSpec: '0 * * * *', note: 'z' } });
    expect((await kube('apply --server-side -f -', applied)).stderr).toContain('1 conflict');
    expect(await succeeds('apply --server-side --force-conflicts -f -', applied)).toContain('applied');
    const bad = await kube('patch ct my --type=merge -p {"spec":{"replicas":99}}');
    expect(bad.stderr).toContain('spec.replicas in body should be less than or equal to 10');
    expect(await succeeds('delete crd crontabs.stable.example.com --timeout=20s')).toContain('deleted');
    expect((await kube('get ct')).code).toBe(1);
  });

  it('autoscales, by whichever version of the API it knows', async () => {
    await succeeds('create -f -', stringify(deployment('scaled')));
    const made = await kube('autoscale deployment scaled --min=1 --max=3 --cpu-percent=55');
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('scaled autoscaled')]);
    const share = (resource: string, path: string) =>
      succeeds(`get ${resource} scaled -o jsonpath={${path}}`);
    expect(
      await share('horizontalpodautoscalers.v1.autoscaling', '.spec.targetCPUUtilizationPercentage'),
    ).toBe('55');
    expect(
      await share(
        'horizontalpodautoscalers.v2.autoscaling',
        '.spec.metrics[0].resource.target.averageUtilization',
      ),
    ).toBe('55');
    expect(await succeeds('get hpa')).toMatch(/scaled +Deployment\/scaled +cpu: <unknown>\/55% +1 +3/);
  });

  it('says what is wrong in the words of a real server', async () => {
    expect((await kube('get deployment nosuch')).stderr).toBe(
      'Error from server (NotFound): deployments.apps "nosuch" not found\n',
    );
    const unknown = await kube(
      'create -f -',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nfoo: 1\n',
    );
    expect(unknown.stderr).toContain('strict decoding error: unknown field "foo"');
    const bad = await kube('create -f -', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: BAD}\n');
    expect(bad.stderr).toContain('The ConfigMap "BAD" is invalid: metadata.name: Invalid value: "BAD"');
  });
});
