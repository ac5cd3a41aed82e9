const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?$/;

const DECIMAL: readonly (readonly [string, number])[] = [
  ['E', 18],
  ['P', 15],
  ['T', 12],
  ['G', 9],
  ['M', 6],
  ['k', 3],
  ['', 0],
  ['m', -3],
  ['u', -6],
  ['n', -9],
];
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const NANO = 9;
const MAX_DIGITS = 40;

/**
 * A quantity as Kubernetes stores it: the largest unit that leaves a whole number, in the family it was given in
 * (`0.5` -> `500m`, `1024Mi` -> `1Gi`). undefined: it is not a quantity.
 */
export function canonicalQuantity(value: string | number): string | undefined {
  const text = String(value);
  const [sign, whole, fraction, suffix, exponent] = partsOf(text);
  if (`${whole}${fraction}` === '') return undefined;
  if (BINARY.includes(suffix)) return binary(sign, whole, fraction, suffix);
  const power = exponent === '' ? powerOf(suffix) : Number(exponent);
  if (Math.abs(power) > MAX_DIGITS) return undefined;
  const nanos = scale(BigInt(`${whole}${fraction}`), power - fraction.length + NANO);
  return exponent === '' ? decimal(sign, nanos) : exponential(sign, nanos);
}

function partsOf(text: string): [string, string, string, string, string] {
  const match = text.length > MAX_DIGITS ? null : FORM.exec(text);
  return [match?.[1] ?? '', match?.[2] ?? '', match?.[3] ?? '', match?.[4] ?? '', match?.[5] ?? ''];
}

function powerOf(suffix: string): number {
  return DECIMAL.find(([name]) => name === suffix)?.[1] ?? 0;
}

function minus(sign: string, amount: bigint): string {
  return sign === '-' && amount !== 0n ? '-' : '';
}

/** `digits * 10^power`, rounded up where it is less than one. */
function scale(digits: bigint, power: number): bigint {
  if (power >= 0) return digits * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (digits + divisor - 1n) / divisor;
}

function decimal(sign: string, nanos: bigint): string {
  if (nanos === 0n) return '0';
  for (const [suffix, power] of DECIMAL) {
    const unit = 10n ** BigInt(power + NANO);
    if (nanos % unit === 0n) return `${minus(sign, nanos)}${nanos / unit}${suffix}`;
  }
  return `${minus(sign, nanos)}${nanos}n`;
}

function exponential(sign: string, nanos: bigint): string {
  if (nanos === 0n) return '0';
  const place = DECIMAL.find(([, power]) => nanos % 10n ** BigInt(power + NANO) === 0n) ?? ['n', -NANO];
  const amount = nanos / 10n ** BigInt(place[1] + NANO);
  return `${minus(sign, nanos)}${amount}${place[1] === 0 ? '' : `e${place[1]}`}`;
}

function binary(sign: string, whole: string, fraction: string, suffix: string): string {
  const unit = 1024n ** BigInt(BINARY.indexOf(suffix) + 1);
  const milli = scale(BigInt(`${whole}${fraction}`) * unit * 1000n, -fraction.length);
  if (milli === 0n) return '0';
  if (milli % 1000n !== 0n) return decimal(sign, milli * 10n ** BigInt(NANO - 3));
  const bytes = milli / 1000n;
  for (let place = BINARY.length; place > 0; place -= 1) {
    const size = 1024n ** BigInt(place);
    if (bytes % size === 0n) return `${minus(sign, bytes)}${bytes / size}${BINARY[place - 1]}`;
  }
  return `${minus(sign, bytes)}${bytes}`;
}
