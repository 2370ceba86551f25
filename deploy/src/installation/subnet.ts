/** A route of the machine, as `ip -j route` tells it. */
export interface Route {
  /** `default`, an address, or an address and a prefix length. */
  dst: string
}

/** Numbers of a subnet of 256 addresses: the first three of its addresses. */
const candidates = 256 * 64 + 256 * 256

/**
 * The first /24 from 100.64.0.0/10 or 10.0.0.0/8, beginning at a place that the installation's id gives, which no route of
 * the machine touches: as `100.71.3`. Undefined where there is none.
 */
export function chooseSubnet(installationId: string, routes: readonly Route[]): string | undefined {
  const taken = routes.map(({ dst }) => rangeOf(dst)).filter((range) => range !== undefined)
  const begin = parseInt(installationId, 16) % candidates
  for (let i = 0; i < candidates; i++) {
    const first = firstAddress((begin + i) % candidates)
    if (!taken.some((range) => overlaps(range, [first, first + 255]))) return prefixOf(first)
  }
  return undefined
}

/** True when none of the routes, except those through `ownDevice`, touches the /24. */
export function isSubnetFree(prefix: string, routes: readonly (Route & { dev?: string })[], ownDevice: string): boolean {
  const own = rangeOf(`${prefix}.0/24`)!
  return routes.every(({ dst, dev }) => {
    const range = rangeOf(dst)
    return dev === ownDevice || range === undefined || !overlaps(range, own)
  })
}

/** The candidates in a row: 100.64.0.0/10, then 10.0.0.0/8. */
function firstAddress(index: number): number {
  const shared = 64 * 256
  return index < shared ? (100 * 256 + 64) * 65_536 + index * 256 : 10 * 2 ** 24 + (index - shared) * 256
}

function prefixOf(address: number): string {
  return [24, 16, 8].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}

/** First and last address as numbers; undefined for the default route, which touches everything and takes nothing. */
function rangeOf(destination: string): [number, number] | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(destination)
  if (!match) return undefined
  const [a, b, c, d] = match.slice(1, 5).map(Number) as [number, number, number, number]
  const length = match[5] === undefined ? 32 : Number(match[5])
  if (length === 0) return undefined
  const size = 2 ** (32 - length)
  const first = Math.floor((((a * 256 + b) * 256 + c) * 256 + d) / size) * size
  return [first, first + size - 1]
}

function overlaps(one: [number, number], other: [number, number]): boolean {
  return one[0] <= other[1] && other[0] <= one[1]
}
