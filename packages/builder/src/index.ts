/**
 * From a Dockerfile to an image, instruction by instruction. What a step makes is a layer, kept under a key of everything
 * the step depends on, so that a build does only what no build did before.
 * @module
 */
export { createBuilder } from './builder.ts';
export { namedContext } from './named-context.ts';
export type {
  Base,
  BuildContext,
  Builder,
  BuilderOptions,
  BuildOutcome,
  BuildPosition,
  BuildRequest,
  BuiltImage,
  CommandLimits,
  Entitlement,
  FailedBuild,
  ImageSource,
  NamedContext,
  RegistryAccess,
  ResolveOptions,
  Secret,
} from './types.ts';
