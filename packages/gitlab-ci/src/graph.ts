export interface Walk {
  /** Every name after all it points to. */
  readonly order: readonly string[];
  /** Circles met on the way, each beginning and ending with the same name. */
  readonly circles: readonly (readonly string[])[];
}

/**
 * Walks from every name along its edges, depth first and without recursion: a chain of ten thousand must not exhaust
 * the stack. Edges to names without edges of their own (`undefined`) are left out.
 */
export function walkGraph(
  names: Iterable<string>,
  edgesOf: (name: string) => readonly string[] | undefined,
): Walk {
  const order: string[] = [];
  const circles: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: { readonly name: string; readonly edges: readonly string[]; next: number }[] = [];
  const enter = (name: string): void => {
    const known = state.get(name);
    if (known === 'open') {
      const from = path.findIndex((step) => step.name === name);
      circles.push([...path.slice(from).map((step) => step.name), name]);
    }
    const edges = known ? undefined : edgesOf(name);
    if (!edges) return;
    state.set(name, 'open');
    path.push({ name, edges, next: 0 });
  };
  for (const start of names) {
    enter(start);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const edge = top.edges[top.next];
      top.next += 1;
      if (edge !== undefined) enter(edge);
      else {
        state.set(top.name, 'done');
        order.push(top.name);
        path.pop();
      }
    }
  }
  return { order, circles };
}
