import type { ForwardingObject } from '../engine/objects.js'
import { isOurs } from '../names.js'

/** Of `bridge -json fdb show`, what is looked at. */
export interface ListedForwarding {
  mac: string
  ifname: string
  dst?: string
  master?: string
  flags?: string[]
  state?: string
}

/** Entries that were told: what bridges learned, and their ports' own MACs, are no concern of ours. */
export function forwardingOf(namespace: string, listed: readonly ListedForwarding[]): ForwardingObject[] {
  return listed
    .filter(({ ifname }) => isOurs(ifname))
    .flatMap(({ mac, ifname, dst, master, state }): ForwardingObject[] => {
      const entry = { kind: 'forwarding', namespace, link: ifname, mac } as const
      if (dst !== undefined) return [{ ...entry, destination: dst }]
      return master !== undefined && state === 'static' ? [entry] : []
    })
}
