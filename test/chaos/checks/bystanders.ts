import { isAlive, type ProcessIdentity } from '@nubo/deploy/installation'
import type { World } from '../world.js'
import type { Check } from './check.js'

/** Promise 11: whatever happens to the control plane, to libvirtd and to agents, guests run on. */
export class Bystanders {
  private readonly processes = new Map<string, { host: string; process: ProcessIdentity }>()

  constructor(
    private readonly world: World,
    /** Tells whether a host lost its power since: then its guests' processes are others. */
    private readonly fell: (hostName: string) => boolean,
  ) {
    for (const { name } of world.hosts)
      for (const { serverId, process } of world.guestProcesses(name))
        if (world.bystanders.has(serverId)) this.processes.set(serverId, { host: name, process })
  }

  get check(): Check {
    return {
      name: 'guests that nobody touched ran on, or run again after their host lost its power',
      find: async () => [...this.world.bystanders].flatMap((serverId) => this.look(serverId)),
    }
  }

  private look(serverId: string): string[] {
    const before = this.processes.get(serverId)
    if (!before) return [`${serverId} was not running when the run began`]
    if (isAlive(before.process)) return []
    if (!this.fell(before.host)) return [`${serverId} on ${before.host} ended, though its host never lost its power`]
    const again = this.world.guestProcesses(before.host).some((guest) => guest.serverId === serverId)
    return again ? [] : [`${serverId} does not run again after the fall of ${before.host}`]
  }
}
