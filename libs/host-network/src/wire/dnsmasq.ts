import { createHash } from 'node:crypto'
import { familyOf, prefixLengthOf } from '../addresses.js'
import type { Piece, ProcessObject } from '../engine/piece.js'
import type { HostSettings } from '../settings.js'

/** The lines of a file of dnsmasq's. */
export const settingsText = (lines: readonly string[]) => `${lines.join('\n')}\n`

/** It takes no prefix of IPv6 with less than 64 bits, and with one in its settings it does not start. */
export const isTaken = (cidr: string) => familyOf(cidr) === 4 || prefixLengthOf(cidr) >= 64

export const filesOf = ({ directory }: HostSettings, name: string) => `${directory}/dnsmasq/${name}`

interface Dnsmasq extends Pick<ProcessObject, 'name' | 'namespace' | 'reads' | 'remembers'> {
  /** Its settings, read when it starts. */
  text: string
}

export function dnsmasq({ text, remembers, ...process }: Dnsmasq, settings: HostSettings, piece: Piece): void {
  const path = `${filesOf(settings, process.name)}.conf`
  piece.file(path, text)
  piece.process({
    ...process,
    program: 'dnsmasq',
    args: [`--conf-file=${path}`],
    remembers: [digestOf(text), ...remembers],
  })
}

export const digestOf = (text: string) => createHash('sha1').update(text).digest('hex')
