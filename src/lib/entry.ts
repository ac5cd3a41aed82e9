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

/** As it is stored and sent back. */
type FullEntry = Required<Omit<AddressEntry, 'is_company'>>;

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

function refuseEmpty(value: unknown, field: string): void {
  if (value === '' || value === 0) throw new HttpFault(400, `${field} has invalid value ${value}`);
}

function refuseEmptyFields({ full_name, addresses, phone_numbers, fax_numbers, emails }: FullEntry): void {
  for (const { street_name, pincode, country } of addresses) {
    refuseEmpty(street_name, 'street_name');
    refuseEmpty(pincode, 'pincode');
    refuseEmpty(country, 'country');
  }
  for (const numbers of [phone_numbers, fax_numbers]) {
    for (const { country_code, local_number } of numbers) {
      refuseEmpty(country_code, 'country_code');
      refuseEmpty(local_number, 'local_number');
    }
  }
  for (const { email } of emails) refuseEmpty(email, 'email');
  refuseEmpty(full_name, 'full_name');
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
  const { full_name, addresses = [], phone_numbers = [], fax_numbers = [], emails = [], is_company } = entry;
  const full = { full_name, addresses, phone_numbers, fax_numbers, emails, is_company };
  refuseEmptyFields(full);
  return JSON.stringify(full);
}
