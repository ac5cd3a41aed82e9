import type { JobDefinition } from './configuration.ts';
import { DEFAULT_ARTIFACTS } from './keywords/artifacts.ts';
import type { Artifacts, Job } from './pipeline.ts';

const PUBLISHED = 'public';

/** What a job publishes: one with `pages`, or one that is called so. */
export function pagesOf({ name, keywords }: JobDefinition): Job['pages'] {
  const { pages, publish } = keywords;
  if (pages === false || (!pages && name !== 'pages')) return undefined;
  return {
    publish: (pages ? pages.publish : undefined) ?? publish ?? PUBLISHED,
    pathPrefix: pages ? pages.pathPrefix : undefined,
  };
}

/** The published folder is an artifact, listed or not. */
export function withPublished(written: Artifacts | undefined, publish: string): Artifacts {
  const artifacts = written ?? DEFAULT_ARTIFACTS;
  const bare = (path: string): string => path.replace(/\/+$/, '');
  if (artifacts.paths.some((path) => bare(path) === bare(publish))) return artifacts;
  return { ...artifacts, paths: [...artifacts.paths, publish] };
}
