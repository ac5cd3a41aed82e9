import path from 'node:path';
import { nearest } from '@updraft/kit';
import type { ControlClient } from '@updraft/control';
import { EXIT, UsageError, keyValues } from '../command.ts';
import type { Command, Context } from '../command.ts';
import { connect } from '../daemon/connect.ts';
import { ACTIONS, ACTION_DETAILS, ACTION_OPTIONS, act, isAction, list } from './image-actions.ts';

export const image: Command = {
  name: 'image',
  summary: 'Build, list, pull, push, inspect, tag, save, load and prune images',
  usage: 'image build|list|pull|push|inspect|tag|rm|save|load|export|login|logout|prune [REF] [options]',
  details: ACTION_DETAILS,
  options: [
    { name: 'context', value: 'DIR', help: 'build: the folder that COPY reads (default: .)' },
    { name: 'dockerfile', short: 'f', value: 'FILE', help: 'build: default CONTEXT/Dockerfile' },
    { name: 'build-arg', value: 'K=V', repeated: true, help: 'build: set an ARG' },
    { name: 'target', value: 'STAGE', help: 'build: the stage to stop at' },
    {
      name: 'secret',
      value: 'id=I,src=F',
      repeated: true,
      help: 'build: a file for RUN --mount=type=secret',
    },
    { name: 'build-context', value: 'NAME=SRC', repeated: true, help: 'build: a named context' },
    { name: 'tag', short: 't', value: 'REF', repeated: true, help: 'build: a name for the image' },
    { name: 'oci-layout', value: 'OUT', help: 'build, export: also write an OCI layout to this folder' },
    ...ACTION_OPTIONS,
  ],
  async run(context) {
    const [action = 'list'] = context.words;
    if (action !== 'build' && action !== 'list' && !isAction(action)) throw unknownAction(action);
    const client = await connect(context.env, context.output);
    if (action === 'build') return build(client, context);
    return action === 'list' ? list(client, context) : act(client, context, action);
  },
};

function unknownAction(action: string): UsageError {
  const near = nearest(action, ['build', 'list', ...ACTIONS]);
  const next = near === undefined ? 'See: updraft image --help' : `Did you mean: updraft image ${near}?`;
  return new UsageError(`there is no updraft image ${action}`, next);
}

async function build(client: ControlClient, context: Context): Promise<number> {
  const folder = path.resolve(context.cwd, context.text('context') ?? '.');
  const dockerfile = context.text('dockerfile');
  const target = context.text('target');
  const layout = context.text('oci-layout');
  const events = client.stream(
    'POST /v1/images/build',
    {
      context: folder,
      dockerfile:
        dockerfile === undefined ? path.join(folder, 'Dockerfile') : path.resolve(context.cwd, dockerfile),
      buildArgs: keyValues(context.texts('build-arg'), 'build-arg'),
      tags: context.texts('tag'),
      secrets: context.texts('secret').map((text) => secretOf(text, context.cwd)),
      buildContexts: keyValues(context.texts('build-context'), 'build-context'),
      ...(target === undefined ? {} : { target }),
      ...(layout === undefined ? {} : { ociLayout: path.resolve(context.cwd, layout) }),
    },
    { signal: context.signal },
  );
  for await (const event of events) {
    if (event.type === 'log') context.output.say(event.text.trimEnd());
    else if (event.type === 'built') {
      context.output.say(`${event.cachedSteps} of ${event.steps} steps were cached`);
      context.output.result(event.digest);
      return EXIT.passed;
    } else {
      context.output.say(`${context.output.style('red', 'error:')} ${event.message}`);
      return EXIT.failed;
    }
  }
  return EXIT.failed;
}

function secretOf(text: string, cwd: string): { id: string; source: string } {
  const fields = keyValues(text.split(','), 'secret');
  const id = fields['id'];
  const source = fields['src'] ?? fields['source'];
  if (id === undefined || source === undefined) {
    throw new UsageError(`--secret ${text}: needs id and src`, 'Write it as id=NAME,src=FILE.');
  }
  return { id, source: path.resolve(cwd, source) };
}
