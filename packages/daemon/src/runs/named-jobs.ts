const INSTANCE = /^(?:: \[[^]*\]| \d+\/\d+)$/;

/** The jobs that a name stands for: the one of this name, else all instances of a parallel job of this name. */
export function jobsNamed(all: readonly string[], name: string): readonly string[] {
  if (all.includes(name)) return [name];
  return all.filter((one) => one.startsWith(name) && INSTANCE.test(one.slice(name.length)));
}
