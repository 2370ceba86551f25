/** Values whose names say that they are secret are not repeated to whoever sent them wrong: they would end in logs. */
const secretName = /pass(word)?$|secret|token|private_key|user_data|personality/i
const maxCharacters = 1000
/** What is nested deeper was sent to hurt. */
const maxDepth = 20

const text = (value: string) => {
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
  return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`
}

function write(value: unknown, name: string | undefined, depth = 0): string {
  if (depth > maxDepth) return '...'
  if (value === null || value === undefined) return 'None'
  if (name !== undefined && secretName.test(name) && typeof value !== 'boolean') return "'***'"
  if (typeof value === 'string') return text(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value)) return `[${value.map((item) => write(item, name, depth + 1)).join(', ')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, item]) => `${text(key)}: ${write(item, key, depth + 1)}`)
      .join(', ')}}`
  return String(value)
}

/** `value` as Python's repr() shows it, which is how the real services quote input; secrets masked, cut at 1000 characters. */
export function pythonRepr(value: unknown, name?: string): string {
  const whole = write(value, name)
  return whole.length > maxCharacters ? `${whole.slice(0, maxCharacters)}...` : whole
}

/** `value` as Python's str() shows it: text without quotes. */
export function pythonStr(value: unknown, name?: string): string {
  if (typeof value !== 'string') return pythonRepr(value, name)
  if (name !== undefined && secretName.test(name)) return '***'
  return value.length > maxCharacters ? `${value.slice(0, maxCharacters)}...` : value
}
