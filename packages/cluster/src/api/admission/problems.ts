import type { FieldProblem } from '../status.ts';

/** Collects what is wrong with an object, in Kubernetes' words. */
export class Problems {
  readonly list: FieldProblem[] = [];

  invalid(field: string, value: unknown, why: string): void {
    this.list.push({
      reason: 'FieldValueInvalid',
      field,
      message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
    });
  }

  required(field: string, why = ''): void {
    this.list.push({
      reason: 'FieldValueRequired',
      field,
      message: `Required value${why ? `: ${why}` : ''}`,
    });
  }

  notSupported(field: string, value: unknown, supported: readonly string[]): void {
    const names = supported.map((name) => JSON.stringify(name)).join(', ');
    const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${names}`;
    this.list.push({ reason: 'FieldValueNotSupported', field, message });
  }

  /** It names something that is not there. */
  notFound(field: string, value: unknown): void {
    this.list.push({
      reason: 'FieldValueNotFound',
      field,
      message: `Not found: ${JSON.stringify(value)}`,
    });
  }

  forbidden(field: string, why: string): void {
    this.list.push({ reason: 'FieldValueForbidden', field, message: `Forbidden: ${why}` });
  }

  duplicate(field: string, value: unknown): void {
    this.list.push({
      reason: 'FieldValueDuplicate',
      field,
      message: `Duplicate value: ${JSON.stringify(value)}`,
    });
  }

  tooLong(field: string, longest: number): void {
    this.list.push({
      reason: 'FieldValueTooLong',
      field,
      message: `Too long: may not be more than ${longest} bytes`,
    });
  }

  tooMany(field: string, count: number, most: number): void {
    this.list.push({
      reason: 'FieldValueTooMany',
      field,
      message: `Too many: ${count}: must have at most ${most} items`,
    });
  }

  /** `value` must be one of `supported` when it is given. */
  oneOf(field: string, value: unknown, supported: readonly string[]): void {
    if (value !== undefined && !supported.includes(value as string))
      this.notSupported(field, value, supported);
  }

  notNegative(field: string, value: unknown): void {
    if (typeof value === 'number' && value < 0)
      this.invalid(field, value, 'must be greater than or equal to 0');
  }
}

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const LONGEST_LABEL = 63;
const LONGEST_SUBDOMAIN = 253;

const SUBDOMAIN_WORDS = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
const LABEL_WORDS = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`;
const LABEL_1035_WORDS = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`;
const QUALIFIED_WORDS = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`;
const LABEL_VALUE_WORDS = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;

/** Why the text is no such name; undefined when it is one. */
export type NameRule = (text: string) => string | undefined;

function rule(form: RegExp, longest: number, words: string): NameRule {
  return (text) => {
    if (text.length > longest) return `must be no more than ${longest} characters`;
    return form.test(text) ? undefined : words;
  };
}

export const isSubdomain: NameRule = rule(SUBDOMAIN, LONGEST_SUBDOMAIN, SUBDOMAIN_WORDS);
export const isLabel: NameRule = rule(LABEL, LONGEST_LABEL, LABEL_WORDS);
export const isLabel1035: NameRule = rule(LABEL_1035, LONGEST_LABEL, LABEL_1035_WORDS);
export const isLabelValue: NameRule = rule(LABEL_VALUE, LONGEST_LABEL, LABEL_VALUE_WORDS);

/** Any text that can stand in a path, as the names of roles. */
export const isPathSegment: NameRule = (text) => {
  if (text === '.' || text === '..') return `may not be '${text}'`;
  const bad = ['/', '%'].find((part) => text.includes(part));
  return bad ? `may not contain '${bad}'` : undefined;
};

/** A key of labels and annotations: `name` or `prefix/name`. */
export const isQualifiedName: NameRule = (text) => {
  const parts = text.split('/');
  if (parts.length > 2) return `a valid label key must be a name with an optional DNS prefix and '/'`;
  const name = parts.at(-1) ?? '';
  if (name === '') return 'name part must be non-empty';
  if (name.length > LONGEST_LABEL) return `name part must be no more than ${LONGEST_LABEL} characters`;
  if (!QUALIFIED.test(name)) return QUALIFIED_WORDS;
  if (parts.length === 1) return undefined;
  const prefix = isSubdomain(parts[0] ?? '');
  return prefix === undefined ? undefined : `prefix part ${prefix}`;
};
