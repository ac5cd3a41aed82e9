import { commandsOf, pipelinesOf } from '../../shell/commands.ts';
import type { Pipeline, Word } from '../../shell/ast.ts';
import { lineage } from '../context.ts';
import type { LintStage, Located, Run } from '../context.ts';
import { parseImageName } from '../image-name.ts';
import { commandRule, instructionRule, runRule, toComplaint } from '../rule.ts';
import type { Complaint, Rule } from '../rule.ts';
import { unquoted } from '../text.ts';

const SECRET_NAME =
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)(?:$|_)/i;

/** A name that does not hold the secret but says where it is or how it is used. */
const ABOUT_SECRET = /_(?:FILE|PATH|URL|URI|NAME|TTL|EXPIRY|EXPIRATION|LENGTH|LIFETIME|ISSUER|TYPE)$/i;

function holdsSecret({ instruction }: Located): boolean {
  if (instruction.keyword !== 'ENV' && instruction.keyword !== 'ARG') return false;
  return instruction.pairs.some(({ name, value }) => {
    const isSecret = SECRET_NAME.test(name.text) && !ABOUT_SECRET.test(name.text);
    // An empty ENV gives a default without a secret; an ARG takes one from outside, into the history.
    const isEmpty = unquoted(value?.text ?? '') === '';
    return isSecret && (instruction.keyword === 'ARG' || !isEmpty);
  });
}

const DOWNLOADERS = ['curl', 'wget', 'fetch', 'http', 'aria2c'];
const INTERPRETERS = /^(?:ba|da|a|z|k|fi)?sh$|^python[\d.]*$|^perl$|^ruby$|^node$|^php$/;

function namesIn({ commands }: Pipeline): readonly string[] {
  return commands.flatMap((command) =>
    command.kind === 'simple' ? [shellProgram(command.words.map(({ text }) => text))] : [],
  );
}

/** The program that a command line runs, behind `sudo`, `env` and the like. */
function shellProgram(words: readonly string[]): string {
  const rest = words.filter((word) => !/^(?:sudo|env|exec|command|[A-Za-z_]\w*=.*|-.*)$/.test(word));
  return rest[0]?.split('/').at(-1) ?? '';
}

const downloads = (word: Word): boolean =>
  word.scripts.some((script) => commandsOf(script).some(({ name }) => DOWNLOADERS.includes(name)));

/** `curl … | sh`, `sh -c "$(curl …)"`, `bash <(curl …)`. */
function runsDownload({ script, commands }: Run): boolean {
  const isPiped = pipelinesOf(script).some((pipeline) => {
    const names = namesIn(pipeline);
    const from = names.findIndex((name) => DOWNLOADERS.includes(name));
    return from >= 0 && names.slice(from + 1).some((name) => INTERPRETERS.test(name));
  });
  const isInside = commands.some(
    ({ name, node }) =>
      (INTERPRETERS.test(name) || name === 'eval' || name === '.') && node.words.some(downloads),
  );
  return isPiped || isInside;
}

function addsUnchecked({ instruction }: Located): boolean {
  if (instruction.keyword !== 'ADD' || instruction.flags.some(({ name }) => name === 'checksum'))
    return false;
  return instruction.sources.some(({ word }) => /^https?:\/\//.test(unquoted(word.text)));
}

/** Base images that a tag names, which their maker can move. */
function movable({ parent, from }: LintStage): boolean {
  if (from === undefined || parent !== undefined) return false;
  const image = from.image.text;
  return image !== 'scratch' && !image.includes('$') && parseImageName(image).digest === undefined;
}

/** The last stage, when nothing in it or in what it starts from here says who runs it. */
function nobodyNamed(stages: readonly LintStage[]): readonly Complaint[] {
  const last = stages.at(-1);
  if (last?.from === undefined) return [];
  const names = lineage(last).some(({ instructions }) =>
    instructions.some(({ instruction, onbuild }) => instruction.keyword === 'USER' && !onbuild),
  );
  return names ? [] : [toComplaint(last)];
}

const OPEN_MODE = /^(?:0?[0-7][0-7]?[2367]|a[+=][rwx]*w[rwx]*|o[+=][rwx]*w[rwx]*|\+[rx]*w[rx]*)$/;

export const OWN_RULES: readonly Rule[] = [
  instructionRule(
    {
      code: 'UP1001',
      severity: 'error',
      set: 'own',
      title:
        'A secret in ARG or ENV can be read from the image by everyone who has it: use `RUN --mount=type=secret`.',
    },
    holdsSecret,
  ),
  runRule(
    {
      code: 'UP1002',
      severity: 'warning',
      set: 'own',
      title: 'What is downloaded runs without a look: save it, check its checksum, then run it.',
    },
    runsDownload,
  ),
  instructionRule(
    {
      code: 'UP1003',
      severity: 'warning',
      set: 'own',
      title: 'ADD of a URL without `--checksum` takes whatever the server sends that day.',
    },
    addsUnchecked,
  ),
  {
    code: 'UP1004',
    severity: 'info',
    set: 'own',
    title: 'A tag can be moved to another image: add the digest, `IMAGE:TAG@sha256:…`.',
    check: ({ stages }) => stages.filter(movable).map(toComplaint),
  },
  {
    code: 'UP1005',
    severity: 'warning',
    set: 'own',
    title: 'No USER in the last stage: unless the base image says otherwise, everything runs as root.',
    check: ({ stages }) => nobodyNamed(stages),
  },
  commandRule(
    {
      code: 'UP1006',
      severity: 'warning',
      set: 'own',
      title: '`chmod` lets everyone write: give the files to the user who needs them.',
    },
    ({ name, args }) =>
      name === 'chmod' && OPEN_MODE.test(args.find((arg) => !/^-[A-Za-z-]+$/.test(arg)) ?? ''),
  ),
];
