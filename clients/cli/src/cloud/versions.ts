/** A version entry of a discovery document, as far as clients need it. */
export interface ApiVersion {
  /** 'v3', 'v2.1' */
  id: string
  status: string
  href: string | undefined
  /** Lowest and highest microversion; undefined where the API has none. */
  minimum: Microversion | undefined
  maximum: Microversion | undefined
}

export interface Microversion {
  major: number
  minor: number
}

export function parseMicroversion(text: string | undefined): Microversion | undefined {
  const match = /^(\d+)\.(\d+)$/.exec(text ?? '')
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : undefined
}

export function formatMicroversion(version: Microversion): string {
  return `${version.major}.${version.minor}`
}

/** Negative where `left` is the older. */
export function compareMicroversions(left: Microversion, right: Microversion): number {
  return left.major - right.major || left.minor - right.minor
}

interface WireVersion {
  id?: string
  status?: string
  links?: { rel?: string; href?: string }[]
  version?: string
  max_version?: string
  min_version?: string
}

/**
 * Reads the three shapes that OpenStack's services use, as keystoneauth does (discover.py, get_version_data):
 * `versions.values[]` (Keystone), `versions[]` (most) and `version{}` (below a versioned path). What is none of these
 * yields no version.
 */
export function parseVersionDocument(body: string): ApiVersion[] {
  const { versions, version } = parseMapping(body)
  const entries = Array.isArray(versions) ? versions : (versions?.values ?? (version ? [version] : []))
  return entries.map((entry) => ({
    id: String(entry.id ?? ''),
    status: String(entry.status ?? '').toUpperCase(),
    href: entry.links?.find((link) => link.rel === 'self')?.href,
    minimum: parseMicroversion(entry.min_version),
    maximum: parseMicroversion(entry.max_version || entry.version),
  }))
}

function parseMapping(body: string): { versions?: WireVersion[] | { values?: WireVersion[] }; version?: WireVersion } {
  try {
    return (JSON.parse(body) as object | null) ?? {}
  } catch {
    return {}
  }
}

/** Whether a version may be used: DEPRECATED ones still work, EXPERIMENTAL ones are nobody's choice. */
export function isUsable(version: ApiVersion): boolean {
  return ['CURRENT', 'SUPPORTED', 'STABLE', 'DEPRECATED'].includes(version.status)
}

/**
 * Takes the path from what a service says of itself and the host from where it was reached: many clouds answer with
 * internal names or a wrong scheme (keystoneauth does the same).
 */
export function reachableAddress(reachedAt: string, advertised: string): string {
  const reached = new URL(reachedAt)
  return trimSlashes(reached.origin + new URL(advertised, reached).pathname)
}

export function trimSlashes(url: string): string {
  return url.replace(/\/+$/, '')
}

/** Where a Nubo has what is its own: beside the compute API, whose address is `computeUrl`. */
export const nuboRoot = (computeUrl: string) => `${computeUrl.replace(/\/v2(\.\d+)?(\/.*)?$/, '')}/nubo/v1`
