import type { KubeObject } from '../../store/types.ts';
import { recordAt, recordsAt, textAt } from './members.ts';
import type { Members } from './members.ts';
import type { Problems } from './problems.ts';

const RELATIVE = 'must be a relative path';
const NO_STEPS_BACK = "must not contain '..'";

const stepsBack = (path: string) => path.split('/').includes('..');

/** A place below another: relative, and never upwards. Empty is for the caller to judge. */
export function validateDescendingPath(field: string, path: string | undefined, problems: Problems): void {
  if (path === undefined || path === '') return;
  if (path.startsWith('/')) problems.invalid(field, path, RELATIVE);
  else if (stepsBack(path)) problems.invalid(field, path, NO_STEPS_BACK);
  else if (path.includes('\0')) problems.invalid(field, path, 'must not contain NUL');
}

/** A file of a volume: beside what is said of every place below another, not one of the volume's own names. */
function validateFilePath(field: string, path: string | undefined, problems: Problems): void {
  if (!path) return problems.required(field);
  validateDescendingPath(field, path, problems);
  if (path.startsWith('..') && !stepsBack(path)) problems.invalid(field, path, "must not start with '..'");
}

/** A place of the node. */
export function validateNodePath(field: string, path: string | undefined, problems: Problems): void {
  if (!path) problems.required(field);
  else if (stepsBack(path)) problems.invalid(field, path, NO_STEPS_BACK);
  else if (path.includes('\0')) problems.invalid(field, path, 'must not contain NUL');
}

/** All paths that a volume of a pod names. */
export function validateVolumePaths(at: string, volume: Members, problems: Problems): void {
  validateFiles(at, volume, problems);
  for (const [index, source] of recordsAt(volume['projected'], 'sources').entries()) {
    const place = `${at}.projected.sources[${index}]`;
    validateFiles(place, source, problems);
    if (source['serviceAccountToken'] === undefined) continue;
    const file = textAt(source['serviceAccountToken'], 'path');
    validateFilePath(`${place}.serviceAccountToken.path`, file, problems);
  }
  if (volume['hostPath'] !== undefined)
    validateNodePath(`${at}.hostPath.path`, textAt(volume['hostPath'], 'path'), problems);
}

function validateFiles(at: string, source: Members, problems: Problems): void {
  for (const kind of ['configMap', 'secret', 'downwardAPI']) {
    for (const [index, item] of recordsAt(recordAt(source, kind), 'items').entries())
      validateFilePath(`${at}.${kind}.items[${index}].path`, textAt(item, 'path'), problems);
  }
}

/** Where the folders of a volume somebody made himself lie. */
export function validatePersistentVolume(volume: KubeObject, problems: Problems): void {
  for (const kind of ['local', 'hostPath']) {
    const source = volume.spec?.[kind];
    if (source !== undefined) validateNodePath(`spec.${kind}.path`, textAt(source, 'path'), problems);
  }
}
