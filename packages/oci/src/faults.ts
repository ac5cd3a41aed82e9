import { Fault } from '@updraft/kit';

/** What can go wrong with images, one code each; the sentence is what a user is told about the code in general. */
export const OCI_CODES = {
  ARCHIVE_INVALID: 'The folder or archive does not hold an image in a known form.',
  BLOB_UNKNOWN: 'Content that a manifest names is not in the store.',
  COMPRESSION_INVALID: 'There is no such level of compression.',
  DIGEST_INVALID: 'Content does not have the digest it was announced with, or the digest is not well formed.',
  IMAGE_NOT_FOUND: 'Neither the store nor the registry has an image of that name.',
  IMAGE_UNSUPPORTED: 'The content exists, but is not a container image for this machine.',
  LAYER_INVALID: 'A layer is not a well-formed tar archive, or tries to reach outside the image.',
  LAYER_TOO_LARGE: 'A layer unpacks to more entries or bytes than the limits allow.',
  LAYER_UNSUPPORTED: 'A layer uses a form that cannot be handled here.',
  MANIFEST_INVALID: 'A manifest or image config is not what the specification says.',
  PLATFORM_MISSING: 'The image is not made for this machine’s operating system and processor.',
  PROGRAM_NEEDED: 'A program that is needed for this is not installed.',
  REFERENCE_INVALID: 'The name of an image is not well formed.',
  REGISTRY_FAILED: 'The registry answered with an error.',
  REGISTRY_UNREACHABLE: 'No connection to the registry could be made.',
  UNAUTHORIZED: 'The registry refused the credentials, or asked for some.',
} as const;

export type OciCode = keyof typeof OCI_CODES;

/** The fault of this room; `code` is one of OCI_CODES. */
export class OciFault extends Fault {
  override readonly name: string = 'OciFault';
  declare readonly code: OciCode;

  // oxlint-disable-next-line no-useless-constructor -- narrows the code to this room's own
  constructor(code: OciCode, message: string, options: { cause?: unknown; next?: string } = {}) {
    super(code, message, options);
  }
}
