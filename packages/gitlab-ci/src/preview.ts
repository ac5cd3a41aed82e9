import { Document } from 'yaml';
import { loadConfiguration } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import type { Problem, Question } from './pipeline.ts';
import { Problems } from './problems.ts';
import type { LintRequest } from './lint.ts';
import { NO_COMMIT } from './lint.ts';
import { includeContext, prepareScene } from './scene.ts';
import { plain } from './tree.ts';
import type { Plain } from './tree.ts';

export interface ExpandedConfiguration {
  /** undefined when the configuration is too broken to be expanded. */
  readonly configuration: { readonly [key: string]: Plain } | undefined;
  /** The same as text that GitLab would accept and take for the same. */
  readonly yaml: string | undefined;
  readonly problems: readonly Problem[];
  /** As of a `PipelineResult`. */
  readonly questions?: readonly Question[];
}

/** Keywords that were put into the jobs and would be put in twice. */
const SPENT = new Set(['default', 'image', 'services', 'cache', 'before_script', 'after_script', 'stages']);

/** The configuration with includes, extends, default and references put in; hidden keys are gone. */
export function expandConfiguration(request: LintRequest): ExpandedConfiguration {
  const problems = new Problems();
  const full = { ...request, facts: request.facts ?? NO_COMMIT };
  const scene = prepareScene(full, problems);
  const context = includeContext(full, scene, problems);
  const loaded = loadConfiguration(request.child ?? scene.configPath, context);
  const configuration = loaded && expanded(loaded);
  return {
    configuration,
    yaml: configuration && printYaml(configuration),
    problems: problems.list(),
    ...scene.outside.result,
  };
}

function expanded(configuration: Configuration): { readonly [key: string]: Plain } {
  const result: [string, Plain][] = [['stages', configuration.stages]];
  for (const [key, entry] of configuration.tree.entries) {
    if (!SPENT.has(key) && !key.startsWith('.')) result.push([key, plain(entry.value)]);
  }
  return Object.fromEntries(result);
}

/** As YAML 1.1, in which `yes` and `22:30` need quotes to be texts. */
export function printYaml(value: Plain): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false });
  return document.toString({ directives: false, lineWidth: 0 });
}
