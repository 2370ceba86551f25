import type { Cloud } from '../cloud/cloud.js'
import { BrokenPromise } from './broken-promise.js'
import { Carried } from './networks.js'
import type { Records } from './records.js'

/** What is so on hosts, whatever is recorded of it. */
export class Hosts {
  private readonly carried: Carried
  /** All that was judged: each is another object once it has changed. */
  private readonly seen: unknown[] = []

  constructor(
    private readonly cloud: Cloud,
    private readonly records: Records,
  ) {
    this.carried = new Carried(cloud, records)
  }

  /** To be called after every event. Throws BrokenPromise. What is as it was before the event is not judged again. */
  check(): void {
    if (!this.hasChanged()) return
    checkGuests(this.cloud)
    if (this.cloud.tenant.networks.isBuilt) this.carried.check()
  }

  /** This is asked after every event, and mostly nothing has. */
  private hasChanged(): boolean {
    const { hosts, tenant } = this.cloud
    let changed = false
    let index = 0
    const note = (each: unknown) => {
      if (this.seen[index] !== each) {
        this.seen[index] = each
        changed = true
      }
      index++
    }
    for (const { hypervisor, networks } of hosts) {
      note(hypervisor.guestsInTruth())
      note(networks.inForce)
    }
    if (tenant.networks.isBuilt) note(this.records.of('ports'))
    return changed
  }
}

/** Throws BrokenPromise where a server runs twice. */
function checkGuests({ hosts }: Cloud): void {
  const running = new Map<string, string>()
  for (const host of hosts) {
    for (const guest of host.hypervisor.guestsInTruth()) {
      if (!guest.running) continue
      const other = running.get(guest.serverId)
      if (other) throw new BrokenPromise('a server runs on one host at most', `${guest.serverId} on ${other} and ${host.name}`)
      running.set(guest.serverId, host.name)
    }
  }
}
