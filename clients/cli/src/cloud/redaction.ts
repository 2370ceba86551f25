const secretHeaders = new Set(['x-auth-token', 'x-subject-token', 'authorization', 'cookie', 'set-cookie', 'x-service-token'])
/** Keys whose strings are, or may hold, secrets. User data is the tenant's own script and often carries passwords. */
const secretKey = /pass(word|wd)?$|secret|token|private_?key|user_data|credential|passcode|^key$/i

const hidden = '(hidden)'

export function redactHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, secretHeaders.has(name.toLowerCase()) ? hidden : String(value)]),
  )
}

/** The body as it may be shown: JSON with its secrets taken out; what is not JSON only by its size, for it cannot be searched. */
export function redactBody(text: string): string {
  try {
    return JSON.stringify(redactValue(JSON.parse(text), '', ''))
  } catch {
    return `(${Buffer.byteLength(text)} bytes that are not JSON)`
  }
}

function redactValue(value: unknown, key: string, parent: string): unknown {
  if (Array.isArray(value)) return value.map((member) => redactValue(member, key, parent))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, redactValue(member, name, key)]))
  }
  // `auth.identity.token.id` is the token itself.
  const isTokenId = key === 'id' && parent === 'token'
  return typeof value === 'string' && (secretKey.test(key) || isTokenId) ? hidden : value
}
