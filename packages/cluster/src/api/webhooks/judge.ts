import type { KubeObject } from '../../store/types.ts';
import { setDefaults } from '../admission/admit.ts';
import type { ApiContext } from '../context.ts';
import { storedType } from '../forms.ts';
import type { ServedResource } from '../resources.ts';
import type { Passage } from './gate.ts';

type Gated = Pick<ApiContext, 'gate' | 'store'>;

/** An object that has been to the mutating webhooks. */
export interface Judged {
  /** As the webhooks have left it. */
  readonly object: KubeObject;
  /** Undefined: nobody was to be asked. */
  readonly passage: Passage | undefined;
}

/** Takes an object that is to be created to the mutating webhooks. Changes the object it is given. @throws Awaiting, ApiFault */
export function judgeCreation(
  context: Gated,
  { type, namespace }: { readonly type: ServedResource; readonly namespace: string | undefined },
  object: KubeObject,
): Judged {
  if (!context.gate) return { object, passage: undefined };
  // What cannot be created there is refused in the words of whoever finds that out.
  if (type.namespaced && !context.store.get('namespaces', undefined, namespace ?? ''))
    return { object, passage: undefined };
  setDefaults(storedType(type), object);
  // Nothing makes sure of it before the object is admitted.
  const name = (object.metadata.name as string | undefined) ?? '';
  const change = { operation: 'CREATE', type, namespace, name, object, before: undefined } as const;
  const passage = context.gate.enter(change);
  return { object: passage.object ?? object, passage };
}

interface NamedPart {
  readonly type: ServedResource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource: string | undefined;
}

/** The same for an object that is to take the place of another. @throws Awaiting, ApiFault */
export function judgeChange(
  context: Gated,
  { type, namespace, name, subresource }: NamedPart,
  change: { readonly object: KubeObject; readonly before: KubeObject },
): Judged {
  if (!context.gate) return { object: change.object, passage: undefined };
  const object = structuredClone(change.object);
  setDefaults(storedType(type), object);
  const { before } = change;
  const passage = context.gate.enter({
    operation: 'UPDATE',
    type,
    subresource,
    namespace,
    name,
    object,
    before,
  });
  return { object: passage.object ?? object, passage };
}
