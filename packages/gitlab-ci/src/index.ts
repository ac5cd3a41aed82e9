/**
 * GitLab's pipeline language: the files of a commit and facts about it become a `Pipeline`, or problems with file,
 * line and column. Depends on its arguments alone: no clock, no disk, no process.
 *
 * The road: read YAML with places (`yaml/`) -> `include.ts` -> `extends.ts` -> `references.ts` -> `configuration.ts`
 * reads every keyword by the tables in `keywords/` -> `instances.ts` multiplies parallel jobs -> `select-jobs.ts`
 * asks the rules -> `check-needs.ts` -> `make-job.ts`.
 * @module
 */
export { createPipeline } from './create-pipeline.ts';
export { explainJob } from './explain/explain-job.ts';
export type { ExplainRequest } from './explain/explain-job.ts';
export type {
  Explanation,
  ExpressionTrace,
  FilterTrace,
  InstanceExplanation,
  KeyOrigin,
  NeedTrace,
  OperandTrace,
  Origin,
  PathsTrace,
  RuleSettings,
  RuleTrace,
  RulesTrace,
  VariableOrigin,
  VariableTrace,
} from './explain/explanation.ts';
export { lintConfiguration } from './lint.ts';
export type { LintRequest, LintResult } from './lint.ts';
export { expandConfiguration } from './preview.ts';
export type { ExpandedConfiguration } from './preview.ts';
export { defaultConfigPath } from './scene.ts';
export type { Plain } from './tree.ts';
export { codes } from './codes.table.ts';
export type { ProblemCode } from './codes.table.ts';
export { parseDuration } from './duration.ts';
export { evaluate, holds, isTruthy } from './expression/evaluate.ts';
export type { ExpressionContext, Value } from './expression/evaluate.ts';
export { parseExpression } from './expression/parse.ts';
export type { Expression, ParsedExpression } from './expression/parse.ts';
export { expandAsRunner, expandVariables } from './variables/expand.ts';
export type { ExpandOptions } from './variables/expand.ts';
export { jobVariables, variableValues } from './variables/job-variables.ts';
export { forEnvironment } from './variables/environment-scope.ts';
export {
  SERVER_VERSION,
  isProtectedRef,
  jobOnlyVariables,
  predefinedVariables,
} from './variables/predefined.ts';
export type { PredefinedOptions } from './variables/predefined.ts';
export { environmentSlug, refSlug } from './variables/slug.ts';
export type {
  AllowFailure,
  Answer,
  Answers,
  Artifacts,
  Cache,
  ChildInclude,
  CommitFacts,
  CommitFiles,
  EnvironmentRequest,
  ForeignNeed,
  ImageRequest,
  Job,
  MergeRequestFacts,
  Need,
  Pipeline,
  PipelineRequest,
  PipelineResult,
  Position,
  Problem,
  Question,
  ReleaseRequest,
  RequiredSecret,
  Retry,
  ServiceRequest,
  StepRequest,
  TriggerRequest,
  Variable,
  When,
} from './pipeline.ts';
