import type { JsonSchema } from './json-schema.ts';

export interface CustomColumn {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly description?: string;
  readonly format?: string;
  readonly priority?: number;
}

export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

/** What a CustomResourceDefinition says about one version of its kind. */
export interface CustomType {
  readonly schema: JsonSchema;
  /** `group/version` in which all objects are kept, whatever version they were written in. */
  readonly storedApiVersion: string;
  readonly columns: readonly CustomColumn[];
  readonly scale: ScalePaths | undefined;
  /** JSON paths of fields that can be selected by. */
  readonly selectableFields: readonly string[];
  /** Said to everybody who uses this version. */
  readonly deprecation: string | undefined;
  /** The definition is being deleted: nothing new can be created. */
  readonly terminating: boolean;
}
