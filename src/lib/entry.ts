import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { numbersAreExact } from './exact-numbers.ts';
import { HttpFault } from './fault.ts';
import { schemaFile } from './places.ts';

interface Address {
  kind: string;
  building_name?: string;
  unit_number?: number;
  street_number?: number | string;
  street_name: string;
  locality?: string;
  city?: string;
  province?: string;
  pincode: number | string;
  country: string;
}

interface Phone {
  kind: string;
  country_code: number;
  area_code?: number;
  local_number: number;
}

interface Email {
  kind: string;
  email: string;
}

/** An entry as clients send it; lists may be absent. */
export interface AddressEntry {
  full_name: string;
  addresses?: Address[];
  phone_numbers?: Phone[];
  fax_numbers?: Phone[];
  emails?: Email[];
  is_company?: boolean;
}

// Nothing is coerced, filled in or taken away: what does not fit is refused.
const ajv = new Ajv({
  strict: true,
  allowUnionTypes: true,
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
});
// An empty address has an answer of its own (`email has invalid value`), so the format lets it through.
ajv.addFormat('email', /^$|^[^\s@]+@[^\s@]+$/);
const fits = ajv.compile<AddressEntry>(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);

function refuseEmpty(item: Record<string, unknown>, fields: readonly string[]): void {
  for (const field of fields) {
    const value = item[field];
    if (value === '' || value === 0)
      throw new HttpFault(400, `${field} has invalid value ${value === '' ? '' : '0'}`);
  }
}

function refuseEmptyFields(entry: AddressEntry): void {
  for (const address of entry.addresses ?? [])
    refuseEmpty({ ...address }, ['street_name', 'pincode', 'country']);
  for (const phone of entry.phone_numbers ?? []) refuseEmpty({ ...phone }, ['country_code', 'local_number']);
  for (const fax of entry.fax_numbers ?? []) refuseEmpty({ ...fax }, ['country_code', 'local_number']);
  for (const email of entry.emails ?? []) refuseEmpty({ ...email }, ['email']);
  refuseEmpty({ full_name: entry.full_name }, ['full_name']);
}

function parse(body: Buffer): unknown {
  if (!isUtf8(body)) throw new HttpFault(400, 'Invalid JSON body');
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, and bodies hold people's addresses: it must not reach the log.
    throw new HttpFault(400, 'Invalid JSON body', { cause: new Error('the text is not JSON') });
  }
  if (!numbersAreExact(text)) {
    throw new HttpFault(400, 'Invalid JSON body', { cause: new Error('a number cannot be kept exactly') });
  }
  return value;
}

/**
 * A request's body -> the JSON text that is stored and sent back: checked, in one order of keys, lists present.
 * @throws HttpFault 400
 */
export function entryText(body: Buffer): string {
  const entry = parse(body);
  if (!fits(entry)) {
    throw new HttpFault(400, 'JSON Schema validation failed', {
      cause: new Error(ajv.errorsText(fits.errors)),
    });
  }
  refuseEmptyFields(entry);
  const { full_name, addresses = [], phone_numbers = [], fax_numbers = [], emails = [], is_company } = entry;
  return JSON.stringify({ full_name, addresses, phone_numbers, fax_numbers, emails, is_company });
}
