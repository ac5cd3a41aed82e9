import type { PlatformNetwork, Runtime } from '@updraft/pods';
import type { Pod } from '../../kinds/pod.ts';
import type { Objects } from '../../kinds/objects.ts';
import type { Controller } from '../controller.ts';
import { rulesOf } from './rules.ts';
import type { AddressedPod } from './rules.ts';

export const POD_NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';
export const POD_NAME_LABEL = 'io.kubernetes.pod.name';

export interface NetworkPoliciesOptions {
  readonly objects: Objects;
  /** Its pods say which addresses there are: an object's status may be late, or of a daemon that is dead. */
  readonly runtime: Runtime;
  readonly network: Pick<PlatformNetwork, 'setTraffic'>;
}

const NO_CONTAINERS: Pod['spec'] = { containers: [] };

/** Keeps the network's rules equal to the NetworkPolicies. */
export class NetworkPolicies {
  readonly #options: NetworkPoliciesOptions;
  #last: string | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(options: NetworkPoliciesOptions) {
    this.#options = options;
  }

  /** The same runtime; its pods' network is closed as it should be before anything can run in them. */
  get runtime(): Runtime {
    const { runtime } = this.#options;
    return {
      kind: runtime.kind,
      list: () => runtime.list(),
      sweep: (options) => runtime.sweep(options),
      adopt: async (name) => {
        const adopted = await runtime.adopt(name);
        await this.apply();
        return adopted;
      },
      createPod: async (...wanted: Parameters<Runtime['createPod']>) => {
        const pod = await runtime.createPod(...wanted);
        try {
          await this.apply();
          return pod;
        } catch (error) {
          await pod.remove();
          throw error;
        }
      },
    };
  }

  /** One key: the whole set goes at once. */
  controller(): Controller {
    return {
      name: 'network-policies',
      resources: ['networkpolicies.networking.k8s.io', 'namespaces', 'pods'],
      keys: () => ['all'],
      reconcile: () => this.apply(),
    };
  }

  /** Resolves when the rules hold. */
  apply(): Promise<void> {
    const rules = rulesOf(this.#input());
    const text = JSON.stringify(rules);
    if (text !== this.#last) {
      this.#last = text;
      this.#done = this.#options.network.setTraffic(rules).catch((error: unknown) => {
        this.#last = undefined;
        throw error;
      });
    }
    return this.#done;
  }

  #input() {
    const { objects } = this.#options;
    const policies = objects.list('networkpolicies.networking.k8s.io');
    const namespaces = policies.length === 0 ? [] : objects.list('namespaces');
    return {
      policies,
      pods: policies.length === 0 ? [] : this.#pods(),
      namespaces: new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
    };
  }

  #pods(): AddressedPod[] {
    const { runtime, objects } = this.#options;
    return runtime.list().flatMap(({ address, labels }) => {
      const namespace = labels[POD_NAMESPACE_LABEL];
      const name = labels[POD_NAME_LABEL];
      if (address === undefined || namespace === undefined || name === undefined) return [];
      const pod = objects.get('pods', namespace, name);
      const { containers, initContainers = [] } = pod?.spec ?? NO_CONTAINERS;
      // A pod whose object is gone keeps the labels that it had, as long as it lives.
      const known = pod?.metadata.labels ?? (pod ? {} : labels);
      return [{ namespace, labels: known, address, containers: [...initContainers, ...containers] }];
    });
  }
}
