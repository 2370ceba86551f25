import { invalidInput } from './network-error.js'
import { words } from './words.js'

/** An option of DHCP that a port's guest is told; null takes it away. */
export interface DhcpOption {
  opt_name: string
  opt_value: string | null
  ip_version: 4 | 6
}

const longestName = 64
const longestValue = 255

/** One line, because they become lines of a file; undefined where it is none. */
const isLine = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= most && !/\p{Cc}/u.test(value)

/** Options that may be told to be empty. */
const mayBeBlank = ['router', 'classless-static-route']

/** Throws Invalid for what are no options (neutron_lib/api/definitions/extra_dhcp_opt.py). */
export function readDhcpOptions(value: unknown): DhcpOption[] {
  if (value === null) return []
  if (!Array.isArray(value)) throw invalidInput(`extra_dhcp_opts: '${words(value)}' is not a list`)
  return value.map((option: unknown) => {
    const { opt_name: name, opt_value: text, ip_version: version = 4, ...others } = Object(option) as Record<string, unknown>
    const unknown = Object.keys(others)
    if (unknown.length > 0) throw invalidInput(`extra_dhcp_opts: unknown field '${unknown.join(', ')}'`)
    if (!isLine(name, longestName)) throw invalidInput(`extra_dhcp_opts: '${words(name)}' is not the name of an option`)
    const isBlank = text === '' && mayBeBlank.includes(name)
    if (text !== null && !isBlank && !isLine(text, longestValue))
      throw invalidInput(`extra_dhcp_opts: '${words(text)}' is not a value of ${name}`)
    if (!['4', '6'].includes(String(version)))
      throw invalidInput(`extra_dhcp_opts: ip_version is 4 or 6, not '${words(version)}'`)
    return { opt_name: name, opt_value: text as string | null, ip_version: Number(version) as 4 | 6 }
  })
}

/** The options that a port has after `changes`: one of a name and version takes the place of the one before. */
export function changeDhcpOptions(options: readonly DhcpOption[], changes: readonly DhcpOption[]): DhcpOption[] {
  const byName = new Map(options.map((option) => [`${option.ip_version} ${option.opt_name}`, option]))
  for (const change of changes) {
    const key = `${change.ip_version} ${change.opt_name}`
    if (change.opt_value === null) byName.delete(key)
    else byName.set(key, change)
  }
  return [...byName.values()]
}
