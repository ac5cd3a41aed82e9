import { applyDefaults, readConfiguration } from '../configuration.ts';
import type { Configuration } from '../configuration.ts';
import { resolveExtends } from '../extends.ts';
import { assemble, assembleChild } from '../include.ts';
import type { PipelineRequest } from '../pipeline.ts';
import { Problems } from '../problems.ts';
import { resolveReferences } from '../references.ts';
import { includeContext, prepareScene } from '../scene.ts';
import type { Scene } from '../scene.ts';
import type { MapTree } from '../tree.ts';

/** The configuration as far as it can be read: mistakes elsewhere must not keep a job from being explained. */
export interface LoadedForExplanation {
  /** With includes put in, and nothing else. */
  readonly assembled: MapTree;
  readonly configuration: Configuration;
  readonly scene: Scene;
}

export function loadForExplanation(request: PipelineRequest): LoadedForExplanation | undefined {
  // `createPipeline` reports them.
  const unheard = new Problems();
  const scene = prepareScene(request, unheard);
  const context = includeContext(request, scene, unheard);
  const assembled = request.child
    ? assembleChild(request.child, context)
    : assemble(scene.configPath, context);
  if (!assembled) return undefined;
  const expanded = resolveReferences(resolveExtends(assembled, unheard), unheard);
  const configuration = readConfiguration(applyDefaults(expanded, unheard), unheard);
  return { assembled, configuration, scene };
}
