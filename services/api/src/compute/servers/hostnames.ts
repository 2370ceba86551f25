const longestLabel = 63

/**
 * A host name that a guest can have, from the name of its server: Nova's sanitize_hostname. What is left empty falls back
 * to `fallback`.
 */
export function hostnameFrom(name: string, fallback: string): string {
  const ascii = name.normalize('NFKD').replaceAll(/[^\x20-\x7e]/g, '')
  const hostname = ascii
    .replaceAll(/[ _]/g, '-')
    .replaceAll(/[^\w.-]+/g, '')
    .replaceAll('.', '-')
    .toLowerCase()
    .replaceAll(/^[.-]+|[.-]+$/g, '')
    .slice(0, longestLabel)
    .replaceAll(/[.-]+$/g, '')
  return hostname === '' ? fallback : hostname
}
