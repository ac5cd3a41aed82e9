import { keyOf, splitKey } from '../controllers/controller.ts';
import type { Controller, ControllerContext } from '../controllers/controller.ts';
import type { Ingress } from '../kinds/network.ts';
import { CLASS_CONTROLLER, isOurs } from './routes.ts';

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

/** Writes where each ingress can be reached, and says what of it is not served. */
export function ingressController(context: ControllerContext, port: number): Controller {
  return {
    name: 'ingress',
    resources: ['ingresses.networking.k8s.io', 'ingressclasses.networking.k8s.io'],
    keys: ({ resource, object }) =>
      resource === 'ingresses.networking.k8s.io'
        ? [keyOf(object)]
        : context.objects.list('ingresses.networking.k8s.io').map(keyOf),
    reconcile: (key) => {
      const { namespace, name } = splitKey(key);
      const ingress = context.objects.get('ingresses.networking.k8s.io', namespace, name);
      if (!ingress || !isOurs(ingress, context.objects.list('ingressclasses.networking.k8s.io'))) return;
      const entry = { ip: '127.0.0.1', ports: [{ port, protocol: 'TCP' }] };
      context.objects.modify('ingresses.networking.k8s.io', namespace, name, (stored) => {
        stored.status = { ...stored.status, loadBalancer: { ingress: [entry] } };
      });
      warnAboutTls(context, ingress);
    },
  };
}

function warnAboutTls({ events }: ControllerContext, ingress: Ingress): void {
  const hosts = (ingress.spec.tls ?? []).flatMap((tls) => tls.hosts ?? []);
  if (!ingress.spec.tls?.length || ingress.status?.loadBalancer?.ingress !== undefined) return;
  const which = hosts.length > 0 ? hosts.join(', ') : 'its hosts';
  const message = `TLS is not served yet: ${which} can be reached over plain HTTP only`;
  events.as('updraft-ingress').warning(ingress, 'TLSNotServed', message);
}
