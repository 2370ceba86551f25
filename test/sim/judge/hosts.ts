import type { Cloud } from '../cloud/cloud.js'
import { BrokenPromise } from './broken-promise.js'
import { Carried } from './networks.js'
import type { Records } from './records.js'

/** What is so on hosts, whatever is recorded of it. */
export class Hosts {
  private readonly carried: Carried
  private seen: readonly unknown[] = []

  constructor(
    private readonly cloud: Cloud,
    private readonly records: Records,
  ) {
    this.carried = new Carried(cloud, records)
  }

  /** To be called after every event. Throws BrokenPromise. What is as it was before the event is not judged again. */
  check(): void {
    const seen = this.look()
    if (seen.length === this.seen.length && seen.every((each, index) => each === this.seen[index])) return
    this.seen = seen
    checkGuests(this.cloud)
    if (this.cloud.tenant.networks.isBuilt) this.carried.check()
  }

  /** All that is judged: each is another object once it has changed. */
  private look(): unknown[] {
    const { hosts, tenant } = this.cloud
    const seen: unknown[] = hosts.flatMap(({ hypervisor, networks }) => [hypervisor.guestsInTruth(), networks.inForce])
    if (tenant.networks.isBuilt) seen.push(this.records.of('ports'))
    return seen
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
