import { textOf } from '../store/text.ts';

/** A body that is JSON already. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A list put together from the texts of its items: most of them have been written before. */
export function listText(head: object, items: readonly object[]): JsonText {
  return new JsonText(`${JSON.stringify(head).slice(0, -1)},"items":[${items.map(textOf).join(',')}]}`);
}
