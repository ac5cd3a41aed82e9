/**
 * Everything that a pipeline needs to know of a project: the commit's facts and files, the work tree's changes, the
 * user's variables, and the files of other places that its configuration includes. `gitlab-ci` asks, this room answers.
 * @module
 */
export { askUntilAnswered, createProjectPipeline } from './ask.ts';
export type { AskOptions } from './ask.ts';
export { ProjectFault, codes } from './faults.ts';
export type { ProjectFaultCode } from './faults.ts';
export type { Project, ProjectContext, ProjectSelection } from './pipeline.ts';
export { readProject } from './read-project.ts';
