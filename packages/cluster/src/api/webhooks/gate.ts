import { randomUUID } from 'node:crypto';
import type { KubeObject } from '../../store/types.ts';
import type { ApiContext } from '../context.ts';
import { conflict } from '../status.ts';
import { Awaiting } from './awaiting.ts';
import { hooksOf } from './configuration.ts';
import type { Hooks, Webhook } from './configuration.ts';
import { mutate, validateBy } from './dispatch.ts';
import type { Callers } from './dispatch.ts';
import { isExempt, matchOf } from './matching.ts';
import type { Question } from './question.ts';

/** One thing on its way through the webhooks. */
export interface Passage {
  /** What the mutating webhooks have made of the object; a copy. undefined when the question had none. */
  readonly object: KubeObject | undefined;
  readonly isChanged: boolean;
  /** The same each time that the same is asked again: what is created here is known by it to webhooks. */
  readonly uid: string;
  /** The same name each time for what is given one here. */
  name(make: () => string): string;
  /**
   * Lets out what is about to be stored. @throws Awaiting while the validating webhooks are asked, ApiFault when one of
   * them does not allow it
   */
  leave(object: KubeObject | undefined): void;
  /** It is stored; asked once more, it is another one. */
  done(): void;
}

/** Where webhooks are asked: once for each thing, however often it is asked again until all answers are there. */
export interface Gate {
  /** @throws Awaiting while mutating webhooks are asked, ApiFault when one does not allow it */
  enter(question: Question): Passage;
  /** What webhooks have said to whoever asked. */
  readonly warnings: readonly string[];
}

type Answer<T> =
  | { readonly kind: 'asked'; readonly settled: Promise<void> }
  | { readonly kind: 'given'; readonly value: T }
  | { readonly kind: 'refused'; readonly error: unknown };

interface Kept {
  readonly uid: string;
  name?: string;
  mutated?: Answer<KubeObject | undefined>;
  validated?: Answer<void>;
}

/** Who was asked about and never came again is forgotten, from the oldest on. */
const MOST_KEPT = 1000;
/** As often a write is tried that others come before; then its client is told. */
const MOST_TURNS = 10;

export class WebhookGate implements Gate {
  readonly warnings: string[] = [];
  readonly #context: Callers['context'];
  readonly #signal: AbortSignal;
  readonly #kept = new Map<string, Kept>();
  /** How often what was asked about has become something else before all had answered. */
  readonly #turns = new Map<string, number>();
  readonly #isOneRequest: boolean;

  constructor(
    context: Callers['context'],
    options: { readonly signal: AbortSignal; readonly isOneRequest: boolean },
  ) {
    this.#context = context;
    this.#signal = options.signal;
    this.#isOneRequest = options.isOneRequest;
  }

  enter(question: Question): Passage {
    const hooks = hooksOf(this.#context.store);
    if (!hooks || isExempt(question.type)) return unasked(question);
    const isFor = (webhook: Webhook) => matchOf(this.#context.store, webhook, question) !== undefined;
    // A change may make it one for others; without any change only these matter.
    const isAsked = hooks.mutating.some(isFor);
    if (!isAsked && hooks.validating.length === 0) return unasked(question);
    const key = keyOf(question);
    const kept = this.#keep(key, question);
    const object = isAsked ? this.#mutated(kept, key, { hooks, question }) : question.object;
    return {
      object: structuredClone(object),
      isChanged: object !== question.object,
      uid: kept.uid,
      name: (make) => (kept.name ??= make()),
      leave: (stored) => this.#leave(kept, key, { hooks, question: { ...question, object: stored } }),
      done: () => void this.#kept.delete(key),
    };
  }

  #keep(key: string, question: Question): Kept {
    const known = this.#kept.get(key);
    if (known) return known;
    if (this.#isOneRequest) this.#countTurn(question);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    const made: Kept = { uid: randomUUID() };
    this.#kept.set(key, made);
    return made;
  }

  /** @throws ApiFault 409 */
  #countTurn({ type, subresource = '', namespace = '', name }: Question): void {
    const place = `${type.storedAs}/${subresource}/${namespace}/${name}`;
    const turns = (this.#turns.get(place) ?? 0) + 1;
    this.#turns.set(place, turns);
    if (turns > MOST_TURNS) throw conflict(type, name);
  }

  #mutated(kept: Kept, key: string, asked: { hooks: Hooks; question: Question }): KubeObject | undefined {
    kept.mutated ??= waiting(
      mutate(this.#callers(), asked.hooks.mutating, asked.question),
      (answer) => (kept.mutated = answer),
    );
    return this.#taken(key, kept.mutated);
  }

  #leave(kept: Kept, key: string, asked: { hooks: Hooks; question: Question }): void {
    const { hooks, question } = asked;
    const { store } = this.#context;
    const whole = { ...question, name: question.name || (question.object?.metadata.name ?? '') };
    if (!hooks.validating.some((webhook) => matchOf(store, webhook, whole))) return;
    kept.validated ??= waiting(
      validateBy(this.#callers(), hooks.validating, question),
      (answer) => (kept.validated = answer),
    );
    this.#taken(key, kept.validated);
  }

  #taken<T>(key: string, answer: Answer<T>): T {
    if (answer.kind === 'asked') throw new Awaiting(answer.settled);
    if (answer.kind === 'given') return answer.value;
    this.#kept.delete(key);
    throw answer.error;
  }

  #callers(): Callers {
    return {
      context: this.#context,
      signal: this.#signal,
      warn: (text) => {
        if (this.#isOneRequest) this.warnings.push(text);
      },
    };
  }
}

function waiting<T>(asking: Promise<T>, settle: (answer: Answer<T>) => void): Answer<T> {
  const settled = asking.then(
    (value) => settle({ kind: 'given', value }),
    (error: unknown) => settle({ kind: 'refused', error }),
  );
  return { kind: 'asked', settled };
}

const unasked = ({ object }: Question): Passage => ({
  object,
  isChanged: false,
  uid: randomUUID(),
  name: (make) => make(),
  leave: () => undefined,
  done: () => undefined,
});

/** The same for the same change of the same object, and for no other. */
function keyOf({ operation, type, subresource, namespace, name, object, before }: Question): string {
  const { uid, resourceVersion } = before?.metadata ?? {};
  const parts = [operation, type.storedAs, type.version, subresource, namespace, name, uid, resourceVersion];
  return JSON.stringify([...parts, object]);
}

/** All that needs webhooks to be asked goes through here. */
export interface Webhooks {
  /** For one request; undefined when nobody has configured a webhook. */
  open(): Gate | undefined;
  /** The same for controllers, who come again and again. */
  openForControllers(): Gate | undefined;
  /** Gives up whatever is asked. */
  close(): void;
}

export function createWebhooks(
  context: Pick<ApiContext, 'store' | 'kubelet' | 'clock' | 'logger'>,
): Webhooks {
  const end = new AbortController();
  const { signal } = end;
  const lasting = new WebhookGate(context, { signal, isOneRequest: false });
  return {
    open: () =>
      hooksOf(context.store) ? new WebhookGate(context, { signal, isOneRequest: true }) : undefined,
    openForControllers: () => (hooksOf(context.store) ? lasting : undefined),
    close: () => end.abort(new Error('the server is ending')),
  };
}
