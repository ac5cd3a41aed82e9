import { nearest } from '@updraft/kit';
import { UsageError } from '../command.ts';
import type { Command } from '../command.ts';
import { connect } from '../daemon/connect.ts';
import { ACTIONS, ACTION_DETAILS, ACTION_OPTIONS, act, isAction, list } from './image-actions.ts';
import { BUILD_OPTIONS, build } from './image-build.ts';

export const image: Command = {
  name: 'image',
  summary: 'Build, list, pull, push, inspect, tag, save, load and prune images',
  usage: 'image build|list|pull|push|inspect|tag|rm|save|load|export|login|logout|prune [REF] [options]',
  details: ACTION_DETAILS,
  options: [...BUILD_OPTIONS, ...ACTION_OPTIONS],
  async run(context) {
    const [action = 'list'] = context.words;
    if (action !== 'build' && action !== 'list' && !isAction(action)) throw unknownAction(action);
    const client = connect(context.env, context.output);
    if (action === 'build') return build(client, context);
    return action === 'list' ? list(client, context) : act(client, context, action);
  },
};

function unknownAction(action: string): UsageError {
  const near = nearest(action, ['build', 'list', ...ACTIONS]);
  const next = near === undefined ? 'See: updraft image --help' : `Did you mean: updraft image ${near}?`;
  return new UsageError(`there is no updraft image ${action}`, next);
}
