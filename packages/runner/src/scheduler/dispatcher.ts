/** A job that wants to run, and what it hears meanwhile; all calls come in the order things happen. */
export interface Ticket {
  /** Whose turn it is goes round among runs, so that a large one does not hold up the others. */
  readonly run: number;
  /** Of all holders of one key there is one at a time. */
  readonly resource: string | undefined;
  /** false: takes no place of this machine (a job that only starts another pipeline). */
  readonly slot: boolean;
  /** Its resource is taken; or has become free. */
  onWaits(): void;
  onQueued(): void;
  onGranted(): void;
}

/** A place in the queue, later a slot. `release` gives back whatever is held; safe to call twice. */
export interface Lease {
  release(): void;
}

interface Entry {
  readonly ticket: Ticket;
  state: 'resource' | 'queued' | 'granted' | 'released';
}

/** Slots of this machine and resource groups, over all runs. First come, first served within a run. */
export class Dispatcher {
  readonly #queues = new Map<number, Entry[]>();
  readonly #resources = new Map<string, Entry[]>();
  #free: number;

  constructor(slots: number) {
    this.#free = slots;
  }

  /** May grant before it returns. */
  request(ticket: Ticket): Lease {
    const entry: Entry = { ticket, state: 'queued' };
    const holders = ticket.resource === undefined ? undefined : this.#resources.get(ticket.resource);
    if (holders && holders.length > 0) {
      entry.state = 'resource';
      holders.push(entry);
      ticket.onWaits();
    } else {
      if (ticket.resource !== undefined) this.#resources.set(ticket.resource, [entry]);
      this.#enqueue(entry);
    }
    return { release: () => this.#release(entry) };
  }

  #enqueue(entry: Entry): void {
    if (entry.state !== 'queued') return;
    if (!entry.ticket.slot) {
      entry.state = 'granted';
      entry.ticket.onGranted();
      return;
    }
    const queue = this.#queues.get(entry.ticket.run);
    if (queue) queue.push(entry);
    else this.#queues.set(entry.ticket.run, [entry]);
    this.#grant();
  }

  /** The run that was served goes to the end of the round. */
  #grant(): void {
    while (this.#free > 0) {
      const [next] = this.#queues;
      if (!next) return;
      const [run, queue] = next;
      this.#queues.delete(run);
      const entry = queue.shift();
      if (queue.length > 0) this.#queues.set(run, queue);
      if (!entry || entry.state !== 'queued') continue;
      entry.state = 'granted';
      this.#free -= 1;
      entry.ticket.onGranted();
    }
  }

  #release(entry: Entry): void {
    const { state } = entry;
    if (state === 'released') return;
    entry.state = 'released';
    if (state === 'granted' && entry.ticket.slot) this.#free += 1;
    this.#passOn(entry, state !== 'resource');
    this.#grant();
  }

  /** The resource goes to whoever waits longest for it. */
  #passOn(entry: Entry, held: boolean): void {
    const { resource } = entry.ticket;
    if (resource === undefined) return;
    const left = (this.#resources.get(resource) ?? []).filter((other) => other !== entry);
    if (left.length === 0) this.#resources.delete(resource);
    else this.#resources.set(resource, left);
    const [next] = left;
    if (!held || !next) return;
    next.state = 'queued';
    next.ticket.onQueued();
    this.#enqueue(next);
  }
}
