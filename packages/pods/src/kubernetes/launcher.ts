/**
 * How a process is started in a container that runs: `exec` has neither environment, working folder nor signals, and what
 * it is given stands in the API server's logs. So it starts a shell that reads one line from its input, where all of
 * that stands; and the shell tells on standard error, in lines that begin with a word nobody else knows, which process it
 * was and how it ended.
 */

/** What `exec` is given: nothing of the job's. */
export const LAUNCHER: readonly string[] = ['sh', '-c', 'IFS= read -r L && eval "$L"'];

/**
 * A terminal would show the line, so it is put into a file first, by KEEPER, and read from there. Memory of the pod's own,
 * where every container can write.
 */
export const keeper = (mark: string): readonly string[] => [
  'sh',
  '-c',
  `umask 077; IFS= read -r L && printf '%s\\n' "$L" >${fileOf(mark)}`,
];
export const terminalLauncher = (mark: string): readonly string[] => [
  'sh',
  '-c',
  `IFS= read -r L <${fileOf(mark)} && rm -f ${fileOf(mark)} && eval "$L"`,
];

const fileOf = (mark: string): string => `/dev/shm/.${mark.replaceAll(/[^0-9a-z]/g, '')}`;

export interface Launch {
  readonly mark: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  /** Otherwise it reads nothing. */
  readonly stdin: boolean;
  readonly terminal: boolean;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A word of a shell that stands on one line: N is a line break there. */
export function word(text: string): string {
  return `'${text.replaceAll("'", `'\\''`).replaceAll('\n', `'"$N"'`)}'`;
}

/** Processes of the session P, or below the process P, as ` 12 13 `. Nothing but a shell is needed. */
const FAMILY = [
  'F=" $P "; G=; while [ "$F" != "$G" ]; do G=$F; for S in /proc/[0-9]*/stat; do',
  'read -r R <"$S" || continue; Q=${S#/proc/}; Q=${Q%/stat}; set -- ${R##*) };',
  'case $F in *" $Q "*) continue;; *" $2 "*) F="$F$Q ";; *) [ "$4" != "$P" ] || F="$F$Q ";; esac;',
  'done; done 2>/dev/null;',
].join(' ');

/** How often the kernel has ended a process of this container for want of memory, in either version of cgroups. */
const OOM_KILLS = [
  'o() { for S in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do [ -r "$S" ] || continue;',
  'while read -r K V; do [ "$K" != oom_kill ] || echo "$V"; done <"$S"; done; };',
].join(' ');

/** The line for LAUNCHER's input, with its end. */
export function launchLine(launch: Launch): string {
  const { mark, command, env, workingDir, terminal } = launch;
  const [program = '', ...args] = command;
  const names = Object.keys(env);
  const exports = names
    .filter((name) => IDENTIFIER.test(name))
    .map((name) => `export ${name}=${word(env[name] ?? '')};`);
  const others = names
    .filter((name) => !IDENTIFIER.test(name))
    .map((name) => word(`${name}=${env[name] ?? ''}`));
  const words = [...(others.length > 0 ? ['env', ...others] : []), ...[program, ...args].map(word)].join(' ');
  const refuse = (why: string) => `{ printf '%s ! %s\\n' ${mark} ${word(why)} >&2; exit 126; };`;
  const parts = [
    `N=$(printf '\\nx'); N=\${N%x};`,
    ...exports,
    `mkdir -p ${word(workingDir)} 2>/dev/null; cd ${word(workingDir)} 2>/dev/null || ${refuse(`there is no folder ${workingDir}`)}`,
    `command -v ${word(program)} >/dev/null 2>&1 || ${refuse(`exec: "${program}": executable file not found`)}`,
    terminal ? `printf '%s %s\\n' ${mark} $$; exec ${words}` : watched(launch, words),
  ];
  return `${parts.join(' ')}\n`;
}

/** Starts it in a session of its own, tells how it ended, and ends what it has left running. */
function watched({ mark, stdin }: Launch, words: string): string {
  const input = stdin ? '<&3 3<&-' : '</dev/null 3<&-';
  const tell = `sh -c 'printf "%s %s\\n" "$0" $$ >&2; exec "$@"' ${mark} ${words} ${input} &`;
  return [
    OOM_KILLS,
    'O=$(o 2>/dev/null); exec 3<&0;',
    `if command -v setsid >/dev/null 2>&1; then setsid ${tell} else ${tell} fi;`,
    'P=$!; exec 3<&- </dev/null; wait "$P"; C=$?;',
    FAMILY,
    '[ "$F" = " $P " ] || kill -KILL $F 2>/dev/null;',
    'M=; [ "$C" != 137 ] || [ "$(o 2>/dev/null)" = "$O" ] || M=oom;',
    `printf '%s . %s %s\\n' ${mark} "$C" "$M" >&2; exit "$C"`,
  ].join(' ');
}

/** Sends a signal: to a process alone, or to all that it has started as well. */
export function signalCommand(pid: number, signal: string, everyone: boolean): readonly string[] {
  const name = signal.replace(/^SIG/, '');
  if (!/^[A-Z0-9+-]{1,12}$/.test(name) || !Number.isInteger(pid)) throw new Error(`${signal} is no signal`);
  const whom = everyone ? `P=${pid}; ${FAMILY} kill -${name} $F` : `kill -${name} ${pid}`;
  return ['sh', '-c', `${whom} 2>/dev/null; :`];
}

/** What the launcher says between the program's own lines. */
export type Told =
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'ended'; readonly outOfMemory: boolean };

type Pass = (chunk: Buffer) => void | Promise<void>;

/**
 * Takes the launcher's lines out of what a program prints on standard error (of a terminal: on its only output). All
 * else is passed on at once, whatever it is cut into.
 */
export class MarkedStream {
  readonly #mark: Buffer;
  readonly #pass: Pass;
  readonly #told: (told: Told) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(mark: string, pass: Pass, told: (told: Told) => void) {
    this.#mark = Buffer.from(mark);
    this.#pass = pass;
    this.#told = told;
  }

  push(chunk: Buffer): void | Promise<void> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const at = this.#rest.indexOf(this.#mark);
      const end = at < 0 ? -1 : this.#rest.indexOf('\n', at);
      if (at >= 0 && end < 0) return this.#passOn(at);
      if (at < 0) return this.#passOn(this.#rest.length - this.#possibleMark());
      // A line of the launcher's own: too rare to be waited for.
      void this.#passOn(at);
      const line = this.#rest
        .subarray(0, end - at)
        .toString('utf8')
        .trimEnd();
      this.#rest = this.#rest.subarray(end - at + 1);
      this.#told(readTold(line));
    }
  }

  end(): void {
    void this.#passOn(this.#rest.length);
  }

  #passOn(length: number): void | Promise<void> {
    const passed = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return length > 0 ? this.#pass(passed) : undefined;
  }

  /** How many bytes at the end may be the beginning of a mark. */
  #possibleMark(): number {
    for (let length = Math.min(this.#mark.length - 1, this.#rest.length); length > 0; length -= 1) {
      const tail = this.#rest.subarray(this.#rest.length - length);
      if (tail.equals(this.#mark.subarray(0, length))) return length;
    }
    return 0;
  }
}

function readTold(line: string): Told {
  const [, what = '', ...rest] = line.split(' ');
  if (what === '!') return { kind: 'refused', message: rest.join(' ') };
  if (what === '.') return { kind: 'ended', outOfMemory: rest[1] === 'oom' };
  return { kind: 'started', pid: Number(what) };
}
