import { CloudError, type Clock, type PortId, type ServerId } from '@nubo/kernel'
import type { GuestDefinition, GuestNic } from './guest-definition.js'
import type { Guest, GuestStatistics, Hypervisor, HypervisorDescription, HypervisorEvent, Watch } from './hypervisor.js'

/**
 * Longer than anything takes on a host that is merely busy, starts that wait for others' among it: a call that is given up may
 * still be carried out, beside what is tried next.
 */
const answerWithinMs = 120_000

/**
 * A hypervisor of which every call ends. One that was not answered in time is of unknown outcome: it rejects with
 * `Unavailable`, as a call whose answer was lost does, and whoever made it looks before anything else is tried.
 */
export class HypervisorInTime implements Hypervisor {
  constructor(
    private readonly hypervisor: Hypervisor,
    private readonly clock: Clock,
  ) {}

  describe(): Promise<HypervisorDescription> {
    return this.inTime('describe', this.hypervisor.describe())
  }

  define(guest: GuestDefinition): Promise<void> {
    return this.inTime('define', this.hypervisor.define(guest))
  }

  start(serverId: ServerId): Promise<void> {
    return this.inTime('start', this.hypervisor.start(serverId))
  }

  shutdown(serverId: ServerId): Promise<void> {
    return this.inTime('shutdown', this.hypervisor.shutdown(serverId))
  }

  reboot(serverId: ServerId): Promise<void> {
    return this.inTime('reboot', this.hypervisor.reboot(serverId))
  }

  reset(serverId: ServerId): Promise<void> {
    return this.inTime('reset', this.hypervisor.reset(serverId))
  }

  powerOff(serverId: ServerId): Promise<void> {
    return this.inTime('power off', this.hypervisor.powerOff(serverId))
  }

  undefine(serverId: ServerId): Promise<void> {
    return this.inTime('undefine', this.hypervisor.undefine(serverId))
  }

  attachNic(serverId: ServerId, nic: GuestNic): Promise<void> {
    return this.inTime('attach an interface', this.hypervisor.attachNic(serverId, nic))
  }

  detachNic(serverId: ServerId, portId: PortId): Promise<void> {
    return this.inTime('detach an interface', this.hypervisor.detachNic(serverId, portId))
  }

  nics(serverId: ServerId): Promise<GuestNic[]> {
    return this.inTime('interfaces', this.hypervisor.nics(serverId))
  }

  inspect(serverId: ServerId): Promise<Guest | undefined> {
    return this.inTime('inspect', this.hypervisor.inspect(serverId))
  }

  list(): Promise<Guest[]> {
    return this.inTime('list', this.hypervisor.list())
  }

  statistics(): Promise<GuestStatistics[]> {
    return this.inTime('statistics', this.hypervisor.statistics())
  }

  consoleOutput(serverId: ServerId, maximumBytes: number): Promise<Buffer> {
    return this.inTime('console output', this.hypervisor.consoleOutput(serverId, maximumBytes))
  }

  watch(listener: (event: HypervisorEvent) => void): Watch {
    return this.hypervisor.watch(listener)
  }

  close(): Promise<void> {
    return this.inTime('close', this.hypervisor.close())
  }

  private async inTime<T>(what: string, call: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>()
    const timer = this.clock.after(answerWithinMs, () => late.reject(unanswered(what)), { background: true })
    try {
      return await Promise.race([call, late.promise])
    } finally {
      timer.cancel()
    }
  }
}

function unanswered(what: string): CloudError {
  const message = `The hypervisor did not answer within ${answerWithinMs / 1_000} s: whether it did ${what} is unknown`
  return new CloudError('Unavailable', message, { details: { outcome: 'unknown' } })
}
