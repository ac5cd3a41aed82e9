import { isIPv4 } from 'node:net';

/** `10.0.0.0/8`. */
export function isIpv4Range(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  return isIPv4(address) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32 && rest.length === 0;
}
