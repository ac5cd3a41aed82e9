import type { ToolEvent } from '@updraft/control';

export async function scanImage(): Promise<number> {
  return 77;
}
export async function* scanStream(): AsyncIterable<ToolEvent> {
  yield { type: 'exit', code: 77 };
}
