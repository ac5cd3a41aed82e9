import { findRepository, readCommit, readWorkTree } from '@updraft/git';
import { EXIT } from '../command.ts';
import type { Command } from '../command.ts';
import { problemLines } from '../render/problems.ts';

export const preview: Command = {
  name: 'preview',
  summary: 'Print the configuration with includes, extends and references resolved',
  usage: 'preview',
  options: [],
  details: 'Reads the files of the work tree, committed or not.',
  async run({ cwd, output }) {
    const dir = await findRepository(cwd);
    const files = await readWorkTree(dir);
    const facts = await readCommit(dir, {});
    const { expandConfiguration } = await import('@updraft/gitlab-ci');
    const { yaml, problems } = expandConfiguration({ facts, files });
    for (const line of problemLines(problems, output, (name) => files.read(name))) output.say(line);
    if (yaml === undefined) return EXIT.usage;
    output.result(yaml.trimEnd());
    return EXIT.passed;
  },
};
