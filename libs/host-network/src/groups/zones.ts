import { hash } from 'node:crypto'
import type { NetworkPlan } from '../plan.js'

/** Less than 65,536, and so many that the metadata service's identities stay below 255.255.255.255. */
const zoneCount = 65_000

/**
 * A number from 1 to 65,000 for each network of this host: its zone of connection tracking, in which its addresses are not
 * another tenant's with the same ones. It follows from the network's id; where two would have the same, the later one by id
 * takes the next that is free, so all but one in thousands keep theirs whatever else comes and goes.
 */
export function zonesOf(networks: readonly Pick<NetworkPlan, 'networkId'>[]): Map<string, number> {
  return slotsOf(
    networks.map(({ networkId }) => lotOf(networkId)),
    zoneCount,
  )
}

/** What draws a number. */
export interface Lot {
  key: string
  /** Follows from the key. */
  drawn: number
}

export const lotOf = (key: string): Lot => ({ key, drawn: Number.parseInt(hash('sha1', key).slice(0, 8), 16) })

/** Gives each key a number of its own from 1 to `count`, nearly always the same one; where there are more, the last by key none. */
export function slotsOf(lots: readonly Lot[], count: number): Map<string, number> {
  const taken = new Set<number>()
  const slots = new Map<string, number>()
  for (const { key, drawn } of lots.toSorted((a, b) => (a.key < b.key ? -1 : 1)).slice(0, count)) {
    let slot = drawn % count
    while (taken.has(slot)) slot = (slot + 1) % count
    taken.add(slot)
    slots.set(key, slot + 1)
  }
  return slots
}
