import type { ContainerConfig, HistoryEntry, Image, ImageConfig, Layer } from '@updraft/oci';
import { Scope } from './scope.ts';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** `ArgsEscaped` is Docker's: it means nothing outside Windows, but images with a CMD have it. */
type DraftConfig = Mutable<ContainerConfig> & { ArgsEscaped?: boolean };

/** The image of a stage while it is being made. */
export interface Draft {
  architecture: string;
  os: string;
  variant: string | undefined;
  author: string | undefined;
  readonly config: DraftConfig;
  readonly layers: Layer[];
  /** How many of them, and of the entries of the history, are those of the image that was started from. */
  readonly base: { readonly layers: number; readonly history: number };
  readonly history: HistoryEntry[];
  /** Roughly what this stage adds to it, in bytes. */
  historySize: number;
  readonly scope: Scope;
  /** CMD was given in this stage, so that an ENTRYPOINT after it leaves it alone. */
  commandGiven: boolean;
}

/** `FROM scratch`. */
export function emptyDraft(platform: string, escape: '\\' | '`'): Draft {
  const [os = 'linux', architecture = 'amd64', variant] = platform.split('/');
  return {
    architecture,
    os,
    variant,
    author: undefined,
    config: { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: '/' },
    layers: [],
    base: { layers: 0, history: 0 },
    history: [],
    historySize: 0,
    scope: new Scope(escape, [['PATH', DEFAULT_PATH]]),
    commandGiven: false,
  };
}

export function draftOfImage(image: Image, escape: '\\' | '`'): Draft {
  const { config } = image;
  const environment = (config.config?.Env ?? []).map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  if (!environment.some(([name]) => name === 'PATH')) environment.push(['PATH', DEFAULT_PATH]);
  const history = historyOf(image);
  return {
    architecture: config.architecture,
    os: config.os,
    variant: (config as { variant?: string }).variant,
    author: config.author,
    config: structuredClone(config.config ?? {}),
    layers: [...image.layers],
    base: { layers: image.layers.length, history: history.length },
    history,
    historySize: 0,
    scope: new Scope(escape, environment),
    commandGiven: false,
  };
}

/** An image may lack its history; tools count entries against layers, so the missing ones are made up. */
function historyOf(image: Image): HistoryEntry[] {
  const known = image.config.history ?? [];
  const withLayer = known.filter(({ empty_layer: empty }) => empty !== true).length;
  if (withLayer === image.layers.length) return [...known];
  return image.layers.map(() => ({ created_by: 'base image' }));
}

/** A stage that starts from another one sees its arguments too. */
export function draftOfStage(stage: Draft): Draft {
  return {
    ...stage,
    config: structuredClone(stage.config),
    layers: [...stage.layers],
    history: [...stage.history],
    scope: new Scope(stage.scope.escape, stage.scope.env, stage.scope),
    commandGiven: false,
  };
}

/** What the store needs to make an image of it. */
export function imageConfigOf(draft: Draft, created: string): Omit<ImageConfig, 'rootfs'> {
  const env = [...draft.scope.env].map(([name, value]) => `${name}=${value}`);
  // `CMD []` takes the base's away; what is empty is not written, as other builders have it.
  const given = Object.entries({ ...draft.config, Env: env }).filter(
    ([, value]) => value !== undefined && !(typeof value === 'object' && Object.keys(value).length === 0),
  );
  return {
    created,
    ...(draft.author === undefined ? {} : { author: draft.author }),
    architecture: draft.architecture,
    os: draft.os,
    ...(draft.variant === undefined ? {} : { variant: draft.variant }),
    config: Object.fromEntries(given),
    history: draft.history,
  };
}
