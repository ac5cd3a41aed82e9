import type { Answer, ApiContext } from '../context.ts';
import type { ApiRequest } from '../request.ts';
import { ApiFault } from '../status.ts';
import { resumed } from './awaiting.ts';
import type { Gate, Passage } from './gate.ts';
import type { Question } from './question.ts';

/** What of a question follows from the request that it is part of. */
export type Change = Omit<Question, 'user' | 'dryRun' | 'options'> &
  Partial<Pick<Question, 'dryRun' | 'options'>>;

/** The gate of one request. */
export interface RequestGate {
  /** @throws Awaiting, ApiFault */
  enter(change: Change): Passage;
}

const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' };
const READS = ['GET', 'HEAD'];

type Run<T> = (context: ApiContext) => Promise<T>;

/**
 * Serves a request that writes, again and again until all webhooks have answered that it is for; nothing is written
 * before. Without webhooks it is served as it is.
 */
export function reviewed<T extends Answer | undefined>(
  context: ApiContext,
  request: Pick<ApiRequest, 'method' | 'query' | 'user'>,
  run: Run<T>,
): Promise<T> {
  const gate = READS.includes(request.method) ? undefined : context.webhooks.open();
  return gate ? served(context, request, { gate, run }) : run(context);
}

async function served<T extends Answer | undefined>(
  context: ApiContext,
  request: Pick<ApiRequest, 'query' | 'user'>,
  { gate, run }: { readonly gate: Gate; readonly run: Run<T> },
): Promise<T> {
  const gated: ApiContext = { ...context, gate: requestGate(gate, request) };
  try {
    const answer = await resumed(() => run(gated));
    return answer ? { ...answer, warnings: [...(answer.warnings ?? []), ...gate.warnings] } : answer;
  } catch (error) {
    if (error instanceof ApiFault) error.warnings = gate.warnings;
    throw error;
  }
}

function requestGate(gate: Gate, { query, user }: Pick<ApiRequest, 'query' | 'user'>): RequestGate {
  const dryRun = query.getAll('dryRun').some(Boolean);
  return {
    enter: (change) => gate.enter({ dryRun, options: optionsOf(change.operation, query), ...change, user }),
  };
}

function optionsOf(operation: Question['operation'], query: URLSearchParams): Question['options'] {
  if (operation === 'CONNECT') return null;
  const [manager, validation] = [query.get('fieldManager'), query.get('fieldValidation')];
  const dryRun = query.getAll('dryRun').filter(Boolean);
  return {
    kind: OPTIONS[operation],
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun.length > 0 ? { dryRun } : {}),
    ...(manager ? { fieldManager: manager } : {}),
    ...(validation ? { fieldValidation: validation } : {}),
  };
}
