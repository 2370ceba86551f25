import { CloudError, Limiter, type PortId, type ServerId } from '@nubo/kernel'
import {
  ErrorCode,
  LibvirtError,
  MetadataType,
  ShutdownFlags,
  StatisticsGroup,
  UndefineFlags,
  type Domain,
  type LibvirtConnection,
  type Parameters,
  type Subscription,
} from '@nubo/node-libvirt'
import { rm } from 'node:fs/promises'
import type { GuestDefinition, GuestNic } from '../guest-definition.js'
import type { Guest, GuestStatistics, Hypervisor, HypervisorDescription, HypervisorEvent, Watch } from '../hypervisor.js'
import { metadataNamespace, readStamp } from '../xml/domain-metadata.js'
import { consoleLogPath, consoleSocketPath, domainName, domainXml, type MachineProfile } from '../xml/domain-xml.js'
import { readConsoleLog, removeConsoleLog } from './console-log.js'
import { LifecycleReader, powerStateOf, stopCauseOf } from './lifecycle.js'
import { DomainNics } from './domain-nics.js'
import { asCloudError, isRefusal } from './refusal.js'

const startsAtOnce = 3
export const watchedEvents = ['lifecycle', 'reboot', 'deviceRemoved'] as const

/** Guests of one libvirtd, over a connection that outlives its restarts. */
export class LibvirtHypervisor implements Hypervisor {
  private readonly listeners = new Set<(event: HypervisorEvent) => void>()
  /** A start takes long, and only so many calls are with libvirtd at once: one is left for those who look. */
  private readonly starts = new Limiter(startsAtOnce)

  constructor(
    private readonly connection: LibvirtConnection,
    private readonly events: Subscription<(typeof watchedEvents)[number]>,
    private readonly description: HypervisorDescription,
    private readonly profile: MachineProfile,
    private readonly domainNics: DomainNics,
  ) {
    connection.on('disconnected', (error) => this.emit({ kind: 'disconnected', detail: error.message }))
    void this.readEvents()
  }

  async describe(): Promise<HypervisorDescription> {
    return this.description
  }

  async define(guest: GuestDefinition): Promise<void> {
    await this.call('The guest cannot be defined', async () => {
      await this.connection.domainDefineXml({ xml: domainXml(guest, this.profile) })
    })
  }

  async start(serverId: ServerId): Promise<void> {
    await this.onGuest(serverId, 'The guest cannot be started', async (domain) => {
      try {
        await this.starts.run(() => this.connection.domainCreate({ domain }))
      } catch (error) {
        // Drivers refuse what is already so with codes of their own: what counts is how the domain is now.
        if (!(error instanceof LibvirtError && (await this.connection.domainIsActive({ domain })))) throw error
      }
    })
  }

  async shutdown(serverId: ServerId): Promise<void> {
    await this.onGuest(serverId, 'The guest cannot be asked to shut down', async (domain) => {
      await this.unlessOff(domain, () => this.connection.domainShutdown({ domain, flags: this.powerButton }))
    })
  }

  async reboot(serverId: ServerId): Promise<void> {
    await this.onGuest(serverId, 'The guest cannot be asked to restart', async (domain) => {
      await this.connection.domainReboot({ domain, flags: this.powerButton })
    })
  }

  async reset(serverId: ServerId): Promise<void> {
    await this.onGuest(serverId, 'The guest cannot be reset', async (domain) => {
      await this.connection.domainReset({ domain })
    })
  }

  async powerOff(serverId: ServerId): Promise<void> {
    await this.call('The guest cannot be powered off', async () => {
      const domain = await this.find(serverId)
      if (domain) await this.unlessOff(domain, () => this.connection.domainDestroy({ domain }))
    })
  }

  async undefine(serverId: ServerId): Promise<void> {
    const domain = await this.call('The guest cannot be undefined', async () => {
      const found = await this.find(serverId)
      if (found && (await this.connection.domainIsActive({ domain: found })))
        throw new CloudError('Conflict', 'The guest cannot be undefined: it runs')
      return found
    })
    // The domain goes last: whoever is cut off in between finds it again, and with it what is left to be removed.
    await this.removeConsole(serverId)
    if (!domain) return
    await this.call('The guest cannot be undefined', () =>
      ignoring([ErrorCode.NoDomain], this.connection.domainUndefine({ domain, flags: this.leftovers })),
    )
  }

  async attachNic(serverId: ServerId, nic: GuestNic): Promise<void> {
    await this.onGuest(serverId, 'The interface cannot be attached', (domain) => this.domainNics.attach(domain, nic))
  }

  async detachNic(serverId: ServerId, portId: PortId): Promise<void> {
    await this.onGuest(serverId, 'The interface cannot be detached', (domain) => this.domainNics.detach(domain, portId))
  }

  async nics(serverId: ServerId): Promise<GuestNic[]> {
    return await this.onGuest(serverId, 'The interfaces cannot be read', (domain) => this.domainNics.of(domain))
  }

  async inspect(serverId: ServerId): Promise<Guest | undefined> {
    return this.call('The guest cannot be inspected', async () => {
      const domain = await this.find(serverId)
      if (!domain) return undefined
      const state = await ignoring([ErrorCode.NoDomain], this.connection.domainGetState({ domain }))
      const guest = state && (await this.read(domain, state))
      // Somebody took our stamp off it: it is there, but what it is nobody can say.
      if (!guest && (await this.find(serverId)))
        throw new CloudError('Conflict', `The domain ${domain.name} carries no stamp of ours`)
      return guest
    })
  }

  async list(): Promise<Guest[]> {
    return this.call('The guests cannot be listed', async () => {
      const records = await this.connection.connectGetAllDomainStats({ domains: [], groups: StatisticsGroup.State })
      const guests = await Promise.all(
        records
          .filter(({ domain }) => isOurs(domain))
          .map(({ domain, statistics }) =>
            this.read(domain, { state: Number(statistics['state.state']), reason: Number(statistics['state.reason']) }),
          ),
      )
      return guests.filter((guest) => guest !== undefined)
    })
  }

  async statistics(): Promise<GuestStatistics[]> {
    return this.call('The statistics cannot be read', async () => {
      const { CpuTotal, Balloon, Block } = StatisticsGroup
      const records = await this.connection.connectGetAllDomainStats({ domains: [], groups: CpuTotal | Balloon | Block })
      return records.filter(({ domain }) => isOurs(domain) && domain.id !== undefined).map(asStatistics)
    })
  }

  async consoleOutput(serverId: ServerId, maximumBytes: number): Promise<Buffer> {
    const directory = this.profile.consoleDirectory
    return directory ? readConsoleLog(consoleLogPath(directory, serverId), maximumBytes) : Buffer.alloc(0)
  }

  watch(listener: (event: HypervisorEvent) => void): Watch {
    this.listeners.add(listener)
    return { stop: () => void this.listeners.delete(listener) }
  }

  async close(): Promise<void> {
    this.listeners.clear()
    await this.connection.close()
  }

  /** libvirt's test driver has no button, and takes no flags. */
  private get powerButton(): number {
    return this.profile.virtType === 'test' ? 0 : ShutdownFlags.AcpiPowerButton
  }

  /** What goes with a domain, beside its definition; the test driver knows no checkpoints. */
  private get leftovers(): number {
    const { ManagedSave, SnapshotsMetadata, CheckpointsMetadata } = UndefineFlags
    return ManagedSave | SnapshotsMetadata | (this.profile.virtType === 'test' ? 0 : CheckpointsMetadata)
  }

  private async readEvents(): Promise<void> {
    const reader = new LifecycleReader()
    for await (const event of this.events) {
      this.domainNics.onEvent()
      if (event.kind === 'resync') this.emit({ kind: 'reconnected' })
      else if (event.kind !== 'deviceRemoved' && isOurs(event.domain)) {
        const ours = reader.read(event.domain.uuid as ServerId, event)
        if (ours) this.emit(ours)
      }
    }
  }

  private emit(event: HypervisorEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  private async removeConsole(serverId: ServerId): Promise<void> {
    const directory = this.profile.consoleDirectory
    if (!directory) return
    await removeConsoleLog(consoleLogPath(directory, serverId))
    await rm(consoleSocketPath(directory, serverId), { force: true })
  }

  /** The domain with the server's id as its UUID, if it is one that we named. */
  private async find(serverId: ServerId): Promise<Domain | undefined> {
    const domain = await ignoring([ErrorCode.NoDomain], this.connection.domainLookupByUuid({ uuid: serverId }))
    return domain && isOurs(domain) ? domain : undefined
  }

  private async read(domain: Domain, { state, reason }: { state: number; reason: number }): Promise<Guest | undefined> {
    const query = { domain, type: MetadataType.Element, uri: metadataNamespace }
    const metadata = await ignoring([ErrorCode.NoDomain, ErrorCode.NoDomainMetadata], this.connection.domainGetMetadata(query))
    const stamp = metadata === undefined ? undefined : readStamp(metadata)
    if (!stamp || stamp.serverId !== domain.uuid) return undefined
    const powerState = powerStateOf(state)
    const isOff = powerState === 'shutdown' || powerState === 'crashed'
    return { ...stamp, powerState, ...(isOff && { stopCause: stopCauseOf(reason) }) }
  }

  private async onGuest<T>(serverId: ServerId, what: string, action: (domain: Domain) => Promise<T>): Promise<T> {
    return await this.call(what, async () => {
      const domain = await this.find(serverId)
      if (!domain) throw new CloudError('NotFound', `${what}: there is no such guest`)
      return await action(domain)
    })
  }

  /** The guest may end by itself between any look and the call that follows it. */
  private async unlessOff(domain: Domain, action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      if (isRefusal(error, ErrorCode.NoDomain)) return
      if (!(error instanceof LibvirtError) || (await this.connection.domainIsActive({ domain }))) throw error
    }
  }

  private async call<T>(what: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw asCloudError(error, what)
    }
  }
}

function isOurs(domain: Domain): boolean {
  return domain.name === domainName(domain.uuid as ServerId)
}

async function ignoring<T>(codes: number[], promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (isRefusal(error, ...codes)) return undefined
    throw error
  }
}

function asStatistics({ domain, statistics }: { domain: Domain; statistics: Parameters }): GuestStatistics {
  const sum = (suffix: string) =>
    Object.entries(statistics).reduce(
      (total, [name, value]) => (name.startsWith('block.') && name.endsWith(suffix) ? total + BigInt(value) : total),
      0n,
    )
  return {
    serverId: domain.uuid as ServerId,
    cpuTimeNs: BigInt(statistics['cpu.time'] ?? 0),
    memoryMiB: Math.round(Number(statistics['balloon.rss'] ?? statistics['balloon.current'] ?? 0) / 1024),
    diskReadBytes: sum('.rd.bytes'),
    diskWrittenBytes: sum('.wr.bytes'),
  }
}
