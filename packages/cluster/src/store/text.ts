const texts = new WeakMap<object, string>();

/** Remembers what a frozen object was made from. */
export function keepText(object: object, text: string): void {
  texts.set(object, text);
}

/** The JSON of an object; made once for what cannot change any more. */
export function textOf(object: object): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify(object);
  if (Object.isFrozen(object)) texts.set(object, text);
  return text;
}
