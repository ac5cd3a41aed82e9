import { keyOf, splitKey } from '../controllers/controller.ts';
import type { Controller, ControllerContext } from '../controllers/controller.ts';
import type { Ingress } from '../kinds/network.ts';
import type { WatchEvent } from '../store/types.ts';
import { readAnnotations } from './annotations.ts';
import { refusedUsers } from './credentials.ts';
import type { IngressProblem } from './certificates.ts';
import { CLASS_CONTROLLER, isOurs, notesOf } from './routes.ts';
import type { IngressServer } from './server.ts';

const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';
/** `nginx` is what most manifests name. */
const CLASSES = ['updraft', 'nginx'] as const;

export function ensureIngressClasses({ objects }: Pick<ControllerContext, 'objects'>): void {
  for (const name of CLASSES) {
    if (objects.get('ingressclasses.networking.k8s.io', undefined, name)) continue;
    const annotations = name === 'updraft' ? { annotations: { [DEFAULT_CLASS]: 'true' } } : {};
    objects.create('ingressclasses.networking.k8s.io', {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name, generation: 1, ...annotations },
      spec: { controller: CLASS_CONTROLLER },
    });
  }
}

const INGRESSES = 'ingresses.networking.k8s.io';

/** Writes where each ingress can be reached, and says what of it is not served as it is written. */
export function ingressController(
  context: ControllerContext,
  server: Pick<IngressServer, 'port' | 'tlsPort' | 'certificates'>,
): Controller {
  /** What was said of each ingress last, so that it is said once. */
  const said = new Map<string, string>();
  return {
    name: 'ingress',
    resources: [INGRESSES, 'ingressclasses.networking.k8s.io', 'secrets'],
    keys: (event) => keysFor(context, event),
    reconcile: (key) => {
      const { namespace, name } = splitKey(key);
      const ingress = context.objects.get(INGRESSES, namespace, name);
      if (!ingress || !isOurs(ingress, context.objects.list('ingressclasses.networking.k8s.io'))) {
        said.delete(key);
        return;
      }
      context.objects.modify(INGRESSES, namespace, name, (stored) => {
        stored.status = { ...stored.status, loadBalancer: { ingress: [entryOf(ingress, server)] } };
      });
      const warnings = [
        ...server.certificates.problemsOf(ingress),
        ...unserved(ingress),
        ...authProblems(context, ingress),
      ];
      const text = JSON.stringify([ingress.metadata.uid, warnings]);
      if (said.get(key) === text) return;
      said.set(key, text);
      const events = context.events.as('updraft-ingress');
      for (const { reason, message } of warnings) events.warning(ingress, reason, message);
    },
  };
}

function keysFor({ objects }: ControllerContext, { resource, object }: WatchEvent): string[] {
  if (resource === INGRESSES) return [keyOf(object)];
  const { namespace, name } = object.metadata;
  if (resource !== 'secrets') return objects.list(INGRESSES).map(keyOf);
  const ingresses = objects.list(INGRESSES, namespace);
  const names = (ingress: Ingress) => [
    ...(ingress.spec.tls ?? []).map(({ secretName }) => secretName),
    readAnnotations(ingress).settings.basicAuth?.secret,
  ];
  return ingresses.filter((ingress) => names(ingress).includes(name)).map(keyOf);
}

function entryOf({ spec }: Ingress, { port, tlsPort }: Pick<IngressServer, 'port' | 'tlsPort'>) {
  const numbers = spec.tls?.length && tlsPort !== port ? [port, tlsPort] : [port];
  return { ip: '127.0.0.1', ports: numbers.map((number) => ({ port: number, protocol: 'TCP' })) };
}

function unserved(ingress: Ingress): IngressProblem[] {
  return notesOf(ingress).map(({ annotation, why }) => ({
    reason: 'AnnotationNotServed',
    message: `${annotation}: ${why}`,
  }));
}

function authProblems({ objects }: ControllerContext, ingress: Ingress): IngressProblem[] {
  const auth = readAnnotations(ingress).settings.basicAuth;
  const secret = auth && objects.get('secrets', auth.namespace, auth.secret);
  if (!auth || auth.secret === '') return [];
  const place = `Secret ${auth.namespace}/${auth.secret}`;
  if (!secret) {
    return [{ reason: 'AuthNotServed', message: `${place} does not exist: every request is refused` }];
  }
  const users = refusedUsers(auth, secret);
  const message = `${place} has passwords in a form that is not known here, so these are refused: ${users.join(', ')}`;
  return users.length > 0 ? [{ reason: 'AuthNotServed', message }] : [];
}
