const longestLabel = 63
const longestName = 255

/**
 * A host name that a guest can have, from the name of its server: Nova's sanitize_hostname. What is left empty falls back
 * to `fallback`. `suffix` tells servers of one request apart, and is whole however long the name is.
 */
export function hostnameFrom(name: string, fallback: string, suffix = ''): string {
  const ascii = name.normalize('NFKD').replaceAll(/[^\x20-\x7e]/g, '')
  const hostname = ascii
    .replaceAll(/[ _]/g, '-')
    .replaceAll(/[^\w.-]+/g, '')
    .replaceAll('.', '-')
    .toLowerCase()
    .replaceAll(/^[.-]+|[.-]+$/g, '')
    .slice(0, longestLabel - suffix.length)
    .replaceAll(/[.-]+$/g, '')
  return hostname === '' ? fallback : hostname + suffix
}

/** The same of a host name that was asked for, be it with its domain: the host's own label tells the servers apart. */
export function numberedHostname(hostname: string, suffix: string): string {
  if (suffix === '') return hostname
  const [label = '', ...rest] = hostname.split('.')
  const domain = rest.map((each) => `.${each}`).join('')
  const room = Math.min(longestLabel, longestName - domain.length) - suffix.length
  return label.slice(0, room).replaceAll(/-+$/g, '') + suffix + domain
}
