/** What may be there already: an answer from memory should not cost a promise and a turn of the queue. */
export type Soon<T> = T | Promise<T>;

export function andThen<T, R>(value: Soon<T>, step: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(step) : step(value);
}
