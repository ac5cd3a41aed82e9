import type { RuleContext, LintStage } from '../context.ts';
import { parseImageName } from '../image-name.ts';
import { toComplaint } from '../rule.ts';
import type { Complaint, Rule } from '../rule.ts';

interface BuildStage extends LintStage {
  readonly from: NonNullable<LintStage['from']>;
}

/** Stages that start from an image of somewhere else: neither an earlier stage nor scratch. */
function outsideStages({ stages }: RuleContext): readonly BuildStage[] {
  return stages
    .filter(hasFrom)
    .filter((stage) => stage.parent === undefined && stage.from.image.text !== 'scratch');
}

function hasFrom(stage: LintStage): stage is BuildStage {
  return stage.from !== undefined;
}

function complain(context: RuleContext, isWrong: (image: string) => boolean): readonly Complaint[] {
  return outsideStages(context)
    .filter(({ from }) => isWrong(from.image.text))
    .map(toComplaint);
}

/** No tag, and none that a variable in the name's last part could bring. */
function isUntagged(image: string): boolean {
  const { path, tag, digest } = parseImageName(image);
  return tag === undefined && digest === undefined && !(path.split('/').at(-1) ?? '').includes('$');
}

function isLatest(image: string): boolean {
  const { tag, digest } = parseImageName(image);
  return tag === 'latest' && digest === undefined;
}

function isUntrusted(image: string, trusted: readonly string[]): boolean {
  const { registry, path } = parseImageName(image);
  if (trusted.length === 0 || (registry === undefined && path.startsWith('$'))) return false;
  // Docker Hub goes by several names, and by none.
  const names =
    registry === undefined || registry === 'hub.docker.com' ? ['docker.io', 'hub.docker.com'] : [registry];
  return !names.some((name) => trusted.some((pattern) => isHost(name, pattern)));
}

/** `*` is any host, `*.example.org` any below that one. */
function isHost(name: string, pattern: string): boolean {
  return pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern;
}

const PLATFORM_VARIABLE = /BUILDPLATFORM|TARGETPLATFORM/;

export const FROM_RULES: readonly Rule[] = [
  {
    code: 'DL3006',
    severity: 'warning',
    title:
      'Name the version of the base image: without a tag it is whatever is newest on the day of the build.',
    check: (context) => complain(context, isUntagged),
  },
  {
    code: 'DL3007',
    severity: 'warning',
    title: '`latest` moves: the same Dockerfile builds something else tomorrow. Name a version.',
    check: (context) => complain(context, isLatest),
  },
  {
    code: 'DL3024',
    severity: 'error',
    title: 'Two stages have the same name.',
    check: ({ stages }) => stages.filter((stage) => isNameTaken(stage, stages)).map(toComplaint),
  },
  {
    code: 'DL3026',
    severity: 'error',
    title: 'The base image comes from a registry that is not among the trusted ones.',
    check: (context) => complain(context, (image) => isUntrusted(image, context.options.trustedRegistries)),
  },
  {
    code: 'DL3029',
    severity: 'warning',
    title: 'A platform fixed in FROM keeps the image from being built for any other.',
    check: ({ stages }) => stages.filter(fixesPlatform).map(toComplaint),
  },
];

function isNameTaken(stage: LintStage, stages: readonly LintStage[]): boolean {
  return (
    stage.name !== undefined && stages.some(({ name, index }) => name === stage.name && index < stage.index)
  );
}

function fixesPlatform({ from }: LintStage): boolean {
  const platform = from?.flags.find(({ name }) => name === 'platform')?.value;
  return platform !== undefined && !PLATFORM_VARIABLE.test(platform);
}
