import { createOverlay, domainXml, systemProcesses, type GuestDefinition, type MachineProfile } from '@nubo/hypervisor'
import { newId, systemClock, systemRandom, type ProjectId, type ServerId } from '@nubo/kernel'
import { connectLibvirt, unixSocket, type LibvirtConnection } from '@nubo/node-libvirt'
import { mkdir, rm, writeFile } from 'node:fs/promises'

export interface FloorTimes {
  overlayMs: number
  defineMs: number
  startMs: number
  totalMs: number
}

const gibibyte = 1024 ** 3
const memoryMiB = 64

/** What no cloud can do without: an overlay, a definition and a start, with nothing of ours between them and libvirt. */
export class Floor implements AsyncDisposable {
  private constructor(
    private readonly connection: LibvirtConnection,
    private readonly directory: string,
    private readonly profile: MachineProfile,
  ) {}

  /** @param directory an empty one that QEMU's user can pass through. */
  static async open(socketPath: string, directory: string, image: Uint8Array): Promise<Floor> {
    const connection = await connectLibvirt({ transport: unixSocket(socketPath), uri: 'qemu:///system' })
    const consoleDirectory = `${directory}/consoles`
    await mkdir(consoleDirectory, { mode: 0o711 })
    await writeFile(`${directory}/image.raw`, image)
    // A drive that is there to be attached; making it is not part of the floor.
    await writeFile(`${directory}/config.iso`, new Uint8Array(368 * 1024))
    // As the agent's driver has it for emulated guests.
    return new Floor(connection, directory, { virtType: 'qemu', machine: 'pc', cpu: 'maximum', consoleDirectory })
  }

  /** Makes one guest, takes the times, and removes it. */
  async once(): Promise<FloorTimes> {
    const path = `${this.directory}/disk.qcow2`
    const backing = { path: `${this.directory}/image.raw`, format: 'raw' as const }
    const startedMs = systemClock.monotonicMs()
    await createOverlay(systemProcesses, { path, backing, sizeBytes: gibibyte })
    const overlaidMs = systemClock.monotonicMs()
    const domain = await this.connection.domainDefineXml({ xml: domainXml(this.definition(path, backing), this.profile) })
    const definedMs = systemClock.monotonicMs()
    await this.connection.domainCreate({ domain })
    const endedMs = systemClock.monotonicMs()
    await this.connection.domainDestroy({ domain })
    await this.connection.domainUndefine({ domain })
    await rm(path)
    return {
      overlayMs: overlaidMs - startedMs,
      defineMs: definedMs - overlaidMs,
      startMs: endedMs - definedMs,
      totalMs: endedMs - startedMs,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close()
  }

  private definition(path: string, backing: NonNullable<GuestDefinition['disks'][number]['backing']>): GuestDefinition {
    return {
      serverId: newId<ServerId>(systemRandom),
      projectId: newId<ProjectId>(systemRandom),
      ...{ incarnation: 1, fencingEpoch: 1, name: 'floor', vcpus: 1, memoryMiB },
      disks: [{ path, format: 'qcow2', backing }],
      configDrivePath: `${this.directory}/config.iso`,
      nics: [],
    }
  }
}
