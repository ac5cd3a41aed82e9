import path from 'node:path';
import type { ControlClient } from '@updraft/control';
import { EXIT, UsageError, keyValues } from '../command.ts';
import type { Command, Context } from '../command.ts';
import { connect } from '../daemon/connect.ts';
import { table } from '../render/table.ts';

export const image: Command = {
  name: 'image',
  summary: 'Build, list, pull, push, inspect, export and prune images',
  usage: 'image build|list|pull|push|inspect|export|prune [REF] [options]',
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
    { name: 'json', help: 'list, inspect: as JSON' },
  ],
  async run(context) {
    const [action, reference] = context.words;
    const client = await connect(context.env, context.output);
    switch (action) {
      case 'build':
        return build(client, context);
      case undefined:
      case 'list':
        return list(client, context);
      case 'pull':
      case 'push':
      case 'inspect':
      case 'export':
      case 'prune':
        return act(client, context, action, reference);
      default:
        throw new UsageError(`there is no updraft image ${action}`, 'See: updraft image --help');
    }
  },
};

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

async function list(client: ControlClient, context: Context): Promise<number> {
  const images = await client.call('GET /v1/images', undefined);
  if (context.flag('json')) {
    context.output.result(JSON.stringify(images, null, 2));
    return EXIT.passed;
  }
  const rows = images.map((each) => [
    each.name,
    each.digest.slice(7, 19),
    `${(each.sizeBytes / 1e6).toFixed(1)} MB`,
    each.createdAt ?? '',
  ]);
  const head = ['NAME', 'DIGEST', 'SIZE', 'CREATED'].map((cell) => context.output.style('bold', cell));
  context.output.result(rows.length === 0 ? 'No images yet' : table([head, ...rows]));
  return EXIT.passed;
}

async function act(
  client: ControlClient,
  context: Context,
  action: 'pull' | 'push' | 'inspect' | 'export' | 'prune',
  reference: string | undefined,
): Promise<number> {
  if (action !== 'prune' && reference === undefined) {
    throw new UsageError(
      `updraft image ${action} needs an image`,
      `For example: updraft image ${action} node:24`,
    );
  }
  const layout = context.text('oci-layout');
  if (action === 'export' && layout === undefined) {
    throw new UsageError('updraft image export needs --oci-layout OUT', 'It is the folder to write.');
  }
  const answer = await client.call('POST /v1/images/action', {
    action,
    reference: reference ?? '',
    ...(layout === undefined ? {} : { ociLayout: path.resolve(context.cwd, layout) }),
  });
  context.output.result(
    action === 'inspect' ? JSON.stringify(answer.result, null, 2) : String(answer.result),
  );
  return EXIT.passed;
}
