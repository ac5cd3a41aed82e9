/** Keywords that are GitLab's, but need its server: their shapes are checked, and what happens instead is said. */
import { oneOf, record, text, unsupported } from './readers.ts';

export const identity = unsupported(oneOf('google_cloud'), 'jobs get no cloud identity');

export const dastConfiguration = unsupported(
  record({ site_profile: text, scanner_profile: text }),
  'no scan is started',
);
