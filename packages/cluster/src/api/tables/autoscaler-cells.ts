import type { KubeObject } from '../../store/types.ts';
import { numberAt, recordAt, recordsAt, textAt } from '../admission/members.ts';
import type { Members } from '../admission/members.ts';

const SHOWN = 2;
const UNKNOWN = '<unknown>';

/** `cpu: 12%/80%, memory: 30Mi/100Mi + 1 more...`: what was measured, of what is aimed at. */
export function autoscalerTargets({ spec, status }: KubeObject): string {
  const current = recordsAt(status, 'currentMetrics');
  const texts = recordsAt(spec, 'metrics').map((metric, index) => metricText(metric, current[index] ?? {}));
  if (texts.length === 0) return '<none>';
  const more = texts.length > SHOWN ? ` + ${texts.length - SHOWN} more...` : '';
  return `${texts.slice(0, SHOWN).join(', ')}${more}`;
}

function metricText(metric: Members, measured: Members): string {
  const type = textAt(metric, 'type') ?? '';
  const member = type.charAt(0).toLowerCase() + type.slice(1);
  const source = recordAt(metric, member);
  const target = recordAt(source, 'target');
  const current = recordAt(recordAt(measured, member), 'current');
  const share = numberAt(target, 'averageUtilization');
  const name = textAt(source, 'name');
  const prefix = name === undefined ? '' : `${name}: `;
  if (share !== undefined) {
    const used = numberAt(current, 'averageUtilization');
    return `${prefix}${used === undefined ? UNKNOWN : `${used}%`}/${share}%`;
  }
  const average = textAt(target, 'averageValue');
  const key = average === undefined ? 'value' : 'averageValue';
  const wanted = average ?? textAt(target, 'value') ?? UNKNOWN;
  // Averages of what pods do not have themselves are told apart.
  const note = average !== undefined && (type === 'Object' || type === 'External') ? ' (avg)' : '';
  return `${prefix}${textAt(current, key) ?? UNKNOWN}/${wanted}${note}`;
}
