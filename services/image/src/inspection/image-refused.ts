/** Why an uploaded file is not taken, as a code for programs and tests. */
export type RefusalCode =
  | 'not-qcow2'
  | 'truncated'
  | 'unsupported-version'
  | 'backing-file'
  | 'data-file'
  | 'encrypted'
  | 'corrupt'
  | 'not-closed'
  | 'unknown-feature'
  | 'malformed-header'
  | 'virtual-size'
  | 'table-out-of-bounds'
  | 'other-format'
  | 'second-opinion'
  | 'too-costly-to-check'

/** The uploaded bytes are not an image that may be used. `message` is for the person who uploaded them. */
export class ImageRefused extends Error {
  constructor(
    readonly code: RefusalCode,
    message: string,
  ) {
    super(message)
    this.name = 'ImageRefused'
  }
}
