import { CloudError } from '@nubo/kernel'
import { WireError } from '../errors.js'

export interface VersionRange {
  /** The service's word in OpenStack-API-Version: compute, volume, placement. */
  service: string
  major: number
  minimum: number
  maximum: number
  /** The header from before OpenStack-API-Version, in lower case. */
  legacyHeader: string | undefined
}

type Headers = Record<string, string | string[] | undefined>

const standardHeader = 'openstack-api-version'
const format = /^([1-9]\d*)\.([1-9]\d*|0)$/

function asked(headers: Headers, range: VersionRange): string | undefined {
  const standard = headers[standardHeader]
  if (standard !== undefined) {
    // Several services may share the header; the last word for ours counts (microversion_parse).
    for (const item of String(standard).split(',').reverse()) {
      const [service, version] = item.trim().split(/\s+/, 2)
      if (service?.toLowerCase() === range.service && version) return version
    }
  }
  const legacy = range.legacyHeader === undefined ? undefined : headers[range.legacyHeader]
  return legacy === undefined ? undefined : String(legacy).trim()
}

/** A version that lies outside of what is served: 406, which still names the version that was asked for. */
export class VersionNotSupported extends WireError {
  constructor(
    readonly version: string,
    range: VersionRange,
  ) {
    const { major, minimum, maximum } = range
    super(
      406,
      `Version ${version} is not supported by the API. Minimum is ${major}.${minimum} and maximum is ${major}.${maximum}.`,
    )
  }
}

/**
 * The minor version that a request asks for: both headers, `latest`, and the minimum where none is given.
 * Errors: 400 for what is no version, 406 for one out of range (`nova/api/openstack/wsgi.py`, set_api_version_request).
 */
export function negotiate(headers: Headers, range: VersionRange): number {
  const version = asked(headers, range)
  if (version === undefined) return range.minimum
  if (version === 'latest') return range.maximum
  const match = format.exec(version)
  if (!match)
    throw new CloudError('Invalid', `API Version String ${version} is of invalid format. Must be of format MajorNum.MinorNum.`)
  const minor = Number(match[2])
  if (Number(match[1]) !== range.major || minor < range.minimum || minor > range.maximum)
    throw new VersionNotSupported(version, range)
  return minor
}

/** The headers that tell a client which version answered it. */
export function versionHeaders(version: string, range: VersionRange): Record<string, string> {
  const headers: Record<string, string> = { 'OpenStack-API-Version': `${range.service} ${version}` }
  if (range.legacyHeader === undefined) return { ...headers, Vary: 'OpenStack-API-Version' }
  return {
    ...headers,
    [legacyName(range.legacyHeader)]: version,
    Vary: `OpenStack-API-Version, ${legacyName(range.legacyHeader)}`,
  }
}

const legacyName = (header: string) => (header === 'x-openstack-nova-api-version' ? 'X-OpenStack-Nova-API-Version' : header)
