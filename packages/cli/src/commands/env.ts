import { start } from '@updraft/kit';
import type { ControlClient, EnvironmentView } from '@updraft/control';
import { EXIT, UsageError } from '../command.ts';
import type { Command, Context } from '../command.ts';
import { connect, connectIfRunning } from '../daemon/connect.ts';
import { nearest } from '@updraft/kit';
import { environmentTable } from '../render/summary.ts';
import { conclude, watchRun } from './watch.ts';

export const env: Command = {
  name: 'env',
  summary: 'List, open, stop or roll back environments',
  usage: 'env list [--json] | open NAME | stop NAME | rollback NAME',
  options: [
    { name: 'json', help: 'list as JSON' },
    { name: 'logs', help: 'print the logs of the jobs that run' },
  ],
  details: `
  list      every environment with its state and URL
  open      print the URL of an environment, and open it where there is a desktop
  stop      run the job that its \`environment:on_stop\` names
  rollback  run the deployment of the commit that was there before`,
  async run(context) {
    const [action, name] = context.words;
    if (action === undefined || action === 'list') return list(context);
    if (!['open', 'stop', 'rollback'].includes(action)) {
      throw new UsageError(`there is no updraft env ${action}`, 'See: updraft env --help');
    }
    if (name === undefined)
      throw new UsageError(`updraft env ${action} needs a name`, 'See: updraft env list');
    const client = connect(context.env, context.output);
    const environment = await findEnvironment(client, name, context.cwd);
    if (action === 'open') return open(context, environment);
    const route = action === 'stop' ? 'POST /v1/environments/stop' : 'POST /v1/environments/rollback';
    const events = client.stream(route, { name, projectDir: context.cwd });
    return conclude(client, context, await watchRun(client, context, events));
  },
};

async function list(context: Context): Promise<number> {
  const client = await connectIfRunning(context.env);
  const environments = client ? await client.call('GET /v1/environments', undefined) : [];
  if (context.flag('json')) context.output.result(JSON.stringify(environments, null, 2));
  else if (client === undefined) context.output.say('The platform does not run: start it with updraft up');
  else
    context.output.result(environmentTable(environments, context.output)?.trimEnd() ?? 'No environments yet');
  return EXIT.passed;
}

/** This project's if it has one of that name, else another's. */
async function findEnvironment(client: ControlClient, name: string, cwd: string): Promise<EnvironmentView> {
  const environments = await client.call('GET /v1/environments', undefined);
  const named = environments.filter((each) => each.name === name || each.slug === name);
  const isOwn = ({ project_dir: dir }: EnvironmentView) => cwd === dir || cwd.startsWith(`${dir}/`);
  const environment = named.find(isOwn) ?? named[0];
  if (environment) return environment;
  const names = environments.map((each) => each.name);
  const near = nearest(name, names);
  throw new UsageError(
    `there is no environment ${name}`,
    near === undefined ? 'See: updraft env list' : `Did you mean ${near}?`,
  );
}

async function open(context: Context, environment: EnvironmentView): Promise<number> {
  if (environment.url === undefined)
    throw new UsageError(`${environment.name} has no URL`, 'Set environment:url.');
  context.output.result(environment.url);
  if (context.env['DISPLAY'] !== undefined || context.env['WAYLAND_DISPLAY'] !== undefined) {
    const browser = await start('xdg-open', [environment.url], { stdio: ['ignore', 'ignore', 'ignore'] });
    browser.child.unref();
  }
  return EXIT.passed;
}
