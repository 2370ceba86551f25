import { CloudError, type ErrorKind } from '@nubo/kernel'
import { ErrorCode, LibvirtClientError, LibvirtError } from '@nubo/node-libvirt'

/** libvirt's codes for a definition that no host would take, and for what is not there. All others are a plain refusal. */
const kinds = new Map<number, ErrorKind>([
  [ErrorCode.NoDomain, 'NotFound'],
  [ErrorCode.XmlError, 'Invalid'],
  [ErrorCode.XmlDetail, 'Invalid'],
  [ErrorCode.XmlInvalidSchema, 'Invalid'],
  [ErrorCode.ConfigurationUnsupported, 'Invalid'],
  // Not done, because something else about the domain takes too long: asking again may help.
  [ErrorCode.OperationTimeout, 'Unavailable'],
])

/** What went wrong between us and libvirt, in our terms; `details.outcome` says what is known of a call's effect. */
export function asCloudError(error: unknown, what: string): unknown {
  if (error instanceof LibvirtError) {
    const details = { libvirtCode: error.codeName, outcome: error.outcome }
    return new CloudError(kinds.get(error.code) ?? 'Conflict', `${what}: ${error.message}`, { cause: error, details })
  }
  if (error instanceof LibvirtClientError) {
    return new CloudError('Unavailable', `${what}: ${error.message}`, { cause: error, details: { outcome: error.outcome } })
  }
  return error
}

export function isRefusal(error: unknown, ...codes: number[]): boolean {
  return error instanceof LibvirtError && codes.includes(error.code)
}
