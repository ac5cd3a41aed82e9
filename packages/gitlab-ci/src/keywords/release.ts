import type { ReleaseRequest } from '../pipeline.ts';
import { isText } from '../tree.ts';
import { durationOrNever } from './common.ts';
import {
  filledText,
  flag,
  listOf,
  mapped,
  oneOf,
  oneOrList,
  record,
  refuse,
  text,
  unsupported,
} from './readers.ts';
import type { Reader } from './readers.ts';

const link = record(
  {
    name: filledText,
    url: filledText,
    filepath: filledText,
    link_type: oneOf('runbook', 'package', 'image', 'other'),
  },
  { required: ['name', 'url'] },
);

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:?\d\d)$/;

const releasedAt: Reader<string> = (tree, scope) =>
  isText(tree) && (ISO_TIME.test(tree.value) || tree.value.includes('$'))
    ? tree.value
    : refuse(scope, tree, 'a time such as "2026-01-31T12:00:00Z"');

const RECORD = 'a release is a record of this machine';

const releaseFields = record(
  {
    tag_name: filledText,
    tag_message: text,
    description: filledText,
    name: filledText,
    ref: filledText,
    milestones: unsupported(oneOrList(filledText), RECORD),
    released_at: unsupported(releasedAt, RECORD),
    assets: unsupported(record({ links: listOf(link, { min: 1 }) }), RECORD),
  },
  { required: ['tag_name', 'description'] },
);

export const release: Reader<ReleaseRequest> = mapped(releaseFields, (read) =>
  read.tag_name === undefined || read.description === undefined
    ? undefined
    : {
        tagName: read.tag_name,
        description: read.description,
        name: read.name,
        ref: read.ref,
        tagMessage: read.tag_message,
      },
);

/** `pages`; `false`: not one, whatever the job is called. */
export type PagesDefinition =
  | false
  | { readonly publish: string | undefined; readonly pathPrefix: string | undefined };

const pagesFields = record({
  publish: filledText,
  path_prefix: text,
  expire_in: unsupported(durationOrNever, 'what is published stays as long as the run'),
});

export const pages: Reader<PagesDefinition> = (tree, scope) => {
  if (tree.kind !== 'map') {
    const isOne = flag(tree, scope);
    return isOne === true ? { publish: undefined, pathPrefix: undefined } : isOne;
  }
  const read = pagesFields(tree, scope);
  return read && { publish: read.publish, pathPrefix: read.path_prefix };
};
