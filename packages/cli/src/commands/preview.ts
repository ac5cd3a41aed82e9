import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { problemLines } from '../render/problems.ts';
import { PIPELINE_OPTIONS } from './pipeline-options.ts';
import { ask, projectFor, sayUncommitted } from './project.ts';

export const preview: Command = {
  name: 'preview',
  summary: 'Print the configuration with includes, extends and references resolved',
  usage: 'preview [options]',
  operands: false,
  options: PIPELINE_OPTIONS,
  details: `
What is printed is a configuration itself: GitLab accepts it and takes it for the same. The options matter for
include:rules and for variables in the names of included files.

Examples:
  updraft preview > expanded.yml
  updraft preview --tag v1.0.0`,
  async run(context) {
    const { output } = context;
    const language = import('@updraft/gitlab-ci');
    const project = await projectFor(context);
    const { expandConfiguration } = await language;
    const { yaml, problems } = await ask(expandConfiguration, project);
    const { read } = project.request.files;
    for (const line of problemLines(problems, output, read)) output.say(line);
    sayUncommitted(project, context);
    if (yaml === undefined) return EXIT.usage;
    output.result(yaml.trimEnd());
    return EXIT.passed;
  },
};
