/**
 * Everything that a pipeline needs to know of a project: the commit's facts and files, the work tree's changes, the
 * user's variables, and the files of other places that its configuration includes. `gitlab-ci` asks, this room answers.
 * @module
 */
export type { Project, ProjectContext, ProjectPipeline, ProjectSelection } from './pipeline.ts';
