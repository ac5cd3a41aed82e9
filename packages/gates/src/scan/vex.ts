import { messageOf } from '@updraft/kit';
import type { Acceptance, Acceptances } from './acceptance.ts';
import { parsePurl } from './purl.ts';
import type { Purl } from './purl.ts';
import { list, object, text } from './json.ts';
import type { Json } from './json.ts';

/** What is scanned, as a VEX document may name it: by repository and digest. */
export interface VexSubject {
  readonly names: readonly string[];
  readonly digests: readonly string[];
}

/**
 * The findings a VEX document (OpenVEX or CycloneDX) says do not matter: those that do not affect the product, or are
 * fixed in it. What it says of other products is no business of this scan.
 */
export function parseVex(content: string, source: string, subject: VexSubject): Acceptances {
  try {
    const root = object(JSON.parse(content));
    if (text(root['@context']).includes('openvex'))
      return { entries: openVex(root, source, subject), problems: [] };
    if (root['bomFormat'] === 'CycloneDX') return { entries: cyclonedxVex(root, source), problems: [] };
    return { entries: [], problems: [`${source} is neither OpenVEX nor CycloneDX`] };
  } catch (error) {
    return { entries: [], problems: [`${source} is no JSON: ${messageOf(error)}`] };
  }
}

const SETTLED = ['not_affected', 'fixed'];

/** Later statements come before earlier ones: a product that was fine may turn out not to be. */
function openVex(root: Json, source: string, subject: VexSubject): readonly Acceptance[] {
  const statements = list(root['statements'])
    .map(object)
    .toSorted((a, b) => (text(a['timestamp']) < text(b['timestamp']) ? 1 : -1));
  const decided = new Set<string>();
  return statements.flatMap((statement) =>
    idsOf(statement).flatMap((id) =>
      targets(statement, subject).flatMap((target) => {
        const key = `${id}\0${target.written}`;
        if (decided.has(key)) return [];
        decided.add(key);
        if (!SETTLED.includes(text(statement['status']))) return [];
        const reason = [statement['status'], statement['justification'], statement['impact_statement']]
          .filter((part) => typeof part === 'string')
          .join(': ');
        return [acceptance({ id, source, reason }, target.purl)];
      }),
    ),
  );
}

function acceptance(base: Pick<Acceptance, 'id' | 'source' | 'reason'>, purl: Purl | undefined): Acceptance {
  return { ...base, kind: 'vulnerability', ...(purl && { packages: [purl] }) };
}

function idsOf(statement: Json): readonly string[] {
  const { vulnerability } = statement;
  if (typeof vulnerability === 'string') return [vulnerability];
  const { name, '@id': id, aliases } = object(vulnerability);
  return [name, ...(name === undefined ? [id] : []), ...list(aliases)].filter(
    (one) => typeof one === 'string',
  );
}

interface Target {
  readonly written: string;
  /** undefined: the whole of what is scanned. */
  readonly purl: Purl | undefined;
}

/** The packages a statement is about: a product that is one, or the parts of a product that is what is scanned. */
function targets(statement: Json, subject: VexSubject): readonly Target[] {
  return list(statement['products']).flatMap((written): Target[] => {
    const product = typeof written === 'string' ? { '@id': written } : object(written);
    const id = identifier(product);
    const purl = parsePurl(id);
    const parts = list(product['subcomponents']).map((part) =>
      identifier(typeof part === 'string' ? { '@id': part } : object(part)),
    );
    if (purl !== undefined && purl.type !== 'oci') return [{ written: id, purl }];
    if (!isSubject(id, purl, subject)) return [];
    if (parts.length === 0) return [{ written: '', purl: undefined }];
    return parts.flatMap((part) => {
      const inner = parsePurl(part);
      return inner === undefined ? [] : [{ written: part, purl: inner }];
    });
  });
}

function identifier(product: Json): string {
  const id = object(product['identifiers'])['purl'] ?? product['@id'];
  return typeof id === 'string' ? id : '';
}

function isSubject(id: string, purl: Purl | undefined, { names, digests }: VexSubject): boolean {
  if (purl === undefined) return names.includes(id);
  const isName = names.some(
    (name) =>
      name
        .replace(/[@:][^/]*$/, '')
        .split('/')
        .at(-1) === purl.name,
  );
  return isName && (purl.version === undefined || digests.length === 0 || digests.includes(purl.version));
}

const SETTLED_STATES = ['not_affected', 'resolved', 'resolved_with_pedigree', 'false_positive'];

function cyclonedxVex(root: Json, source: string): readonly Acceptance[] {
  return list(root['vulnerabilities'])
    .map(object)
    .flatMap((vulnerability) => {
      const { id, affects } = vulnerability;
      const { state, justification, detail } = object(vulnerability['analysis']);
      if (typeof id !== 'string' || !SETTLED_STATES.includes(text(state))) return [];
      const reason = [state, justification, detail].filter((part) => typeof part === 'string').join(': ');
      return list(affects).flatMap((affected) => {
        const ref = text(object(affected)['ref']);
        const purl = parsePurl(decodeURIComponent(ref.split('#').at(-1) ?? '')) ?? parsePurl(ref);
        return purl === undefined ? [] : [acceptance({ id, source, reason }, purl)];
      });
    });
}
