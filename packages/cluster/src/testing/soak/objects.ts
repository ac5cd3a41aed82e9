/** What a round deploys: one of everything that a team's service is made of. */
export interface Deployed {
  readonly url: string;
  readonly body: object;
}

const labels = (app: string) => ({ app });
const script = (command: string) => ({ name: 'main', image: 'tools:1', command: ['sh', '-c', command] });
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Mi' } } };
const FAST = { periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 30 };

const web = {
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    progressDeadlineSeconds: 600,
    selector: { matchLabels: labels('web') },
    template: {
      metadata: { labels: labels('web') },
      spec: {
        terminationGracePeriodSeconds: 5,
        containers: [
          {
            name: 'main',
            image: 'server:1',
            envFrom: [{ configMapRef: { name: 'settings' } }],
            readinessProbe: { httpGet: { path: '/', port: 8080 }, ...FAST },
            volumeMounts: [
              { name: 'settings', mountPath: '/settings' },
              { name: 'secret', mountPath: '/secret', readOnly: true },
              { name: 'scratch', mountPath: '/scratch', subPath: 'part' },
            ],
          },
        ],
        volumes: [
          { name: 'settings', configMap: { name: 'settings' } },
          { name: 'secret', secret: { secretName: 'secret' } },
          { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        ],
      },
    },
  },
};

const member = {
  metadata: { name: 'member' },
  spec: {
    replicas: 2,
    serviceName: 'members',
    podManagementPolicy: 'Parallel',
    selector: { matchLabels: labels('member') },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
    template: {
      metadata: { labels: labels('member') },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            ...script('echo start >> /data/starts; exec sleep 1000'),
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
      },
    },
  },
};

const task = (command: string) => ({
  backoffLimit: 20,
  template: {
    metadata: { labels: labels('task') },
    spec: {
      restartPolicy: 'OnFailure',
      terminationGracePeriodSeconds: 1,
      containers: [{ ...script(command), volumeMounts: [{ name: 'shared', mountPath: '/shared' }] }],
      volumes: [{ name: 'shared', persistentVolumeClaim: { claimName: 'shared' } }],
    },
  },
});

const service = (name: string, more: object) => ({
  metadata: { name },
  spec: { ports: [{ port: 80, targetPort: 8080 }], ...more },
});

/** @param host what the ingress knows the service by */
export function objectsOf(namespace: string, host: string): Deployed[] {
  const core = `/api/v1/namespaces/${namespace}`;
  const at = (group: string, plural: string) => `/apis/${group}/namespaces/${namespace}/${plural}`;
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const rule = { host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } };
  const policy = {
    podSelector: { matchLabels: labels('web') },
    policyTypes: ['Ingress'],
    ingress: [{ ports: [{ port: 8080 }] }],
  };
  const every = { schedule: '* * * * *', jobTemplate: { spec: task('echo again > /shared/again') } };
  return [
    { url: `${core}/configmaps`, body: { metadata: { name: 'settings' }, data: { GREETING: 'hello' } } },
    { url: `${core}/secrets`, body: { metadata: { name: 'secret' }, stringData: { word: 'hidden' } } },
    { url: `${core}/persistentvolumeclaims`, body: { metadata: { name: 'shared' }, spec: claim } },
    { url: `${core}/services`, body: service('web', { selector: labels('web') }) },
    {
      url: `${core}/services`,
      body: service('members', { clusterIP: 'None', selector: labels('member') }),
    },
    {
      url: at('networking.k8s.io/v1', 'ingresses'),
      body: { metadata: { name: 'web' }, spec: { rules: [rule] } },
    },
    {
      url: at('networking.k8s.io/v1', 'networkpolicies'),
      body: { metadata: { name: 'web' }, spec: policy },
    },
    {
      url: at('policy/v1', 'poddisruptionbudgets'),
      body: {
        metadata: { name: 'web' },
        spec: { minAvailable: 1, selector: { matchLabels: labels('web') } },
      },
    },
    { url: at('apps/v1', 'deployments'), body: web },
    { url: at('apps/v1', 'statefulsets'), body: member },
    {
      url: at('batch/v1', 'jobs'),
      body: { metadata: { name: 'once' }, spec: task('echo once > /shared/once; sleep 1') },
    },
    { url: at('batch/v1', 'cronjobs'), body: { metadata: { name: 'often' }, spec: every } },
  ];
}
