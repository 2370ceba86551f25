import { computeQueue, type GuestNicSpecification, type GuestSpecification } from '@nubo/contract'
import { SimulatedHostNetwork, type HostNetwork } from '@nubo/host-network'
import { SimulatedHypervisor } from '@nubo/hypervisor'
import {
  newId,
  seededRandom,
  systemClock,
  systemRandom,
  type Clock,
  type HostId,
  type Id,
  type ImageId,
  type NetworkId,
  type PortId,
  type ProjectId,
  type ServerId,
  type UserId,
} from '@nubo/kernel'
import { MemoryQueue } from '@nubo/queue'
import { createLogger } from '@nubo/service-kit'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, type AgentParts } from '../agent.js'
import { diskFiles, type Files } from '../files.js'
import { noDisks, type DiskMaker } from '../guests/disk-maker.js'
import { GuestFiles } from '../guests/guest-files.js'
import type { Images } from '../images/image-cache.js'
import { HostRecord } from '../host-record.js'
import { Journal } from '../journal.js'
import { lostJournal } from '../lost-journal.js'
import { Conductor } from './conductor.js'
import { eventually } from './eventually.js'
import type { Life } from './life.js'
import { KeptPlan } from '../networks/kept-plan.js'
import { memoryFiles } from './memory-files.js'
import { planOf } from './network-plans.js'

export const quiet = createLogger('test', process.env.NUBO_TEST_LOG ?? 'fatal')

export interface TestAgentParts extends Pick<AgentParts, 'queue' | 'hypervisor' | 'clock' | 'bootId'> {
  hostId: HostId
  directory: string
  files: Files
  network: HostNetwork
  disks: DiskMaker | ((guests: GuestFiles) => DiskMaker)
}

/** An agent on what a test gives it, from what an earlier one left in its directory. */
export async function assembleTestAgent(parts: TestAgentParts): Promise<Agent> {
  const { hostId, directory, files, disks, queue, hypervisor, network, clock, bootId } = parts
  const guests = await GuestFiles.open(files, join(directory, 'guests'), () => {})
  const journal = await Journal.open({ files, directory: join(directory, 'journal'), clock, bootId, onBroken: () => {} })
  const record = await HostRecord.open({
    ...{ files, directory, hostId },
    examine: (found) => lostJournal(found, { journal, guests, hypervisor }),
  })
  return new Agent({
    ...{ queue, hypervisor, network, guests, journal, record, clock, bootId },
    networkPlan: await KeptPlan.open({ files, directory, bootId, onBroken: () => {} }),
    configuration: { host: { ...hostConfiguration, id: hostId, name: `host-${hostId}`, directory } },
    disks: typeof disks === 'function' ? disks(guests) : disks,
    images: noImages,
    uptimeSeconds: () => 1,
    random: systemRandom,
    logger: quiet,
  })
}

/** A host with a simulated hypervisor, that outlives its agents, and the conductor that it answers to. */
export class TestHost {
  readonly hostId = newId<HostId>(systemRandom)
  readonly hypervisor: SimulatedHypervisor
  /** Outlives agents, as a kernel does. */
  network = new SimulatedHostNetwork()
  readonly queue: MemoryQueue
  readonly conductor: Conductor
  private revision = 0
  private readonly carried = new Set<PortId>()
  bootId = 'first boot'
  disks: DiskMaker = noDisks
  /** Nothing can be written to it while it is. */
  diskIsFull = false
  /** Of the agents that are started from now on; one whose life is over need not be stopped. */
  life: Life | undefined
  private agent: Agent | undefined
  private readonly files: Files

  private constructor(
    readonly directory: string,
    readonly clock: Clock,
    files: Files,
  ) {
    this.files = { ...files, write: (path, text) => this.write(files, path, text) }
    this.hypervisor = new SimulatedHypervisor({ clock, random: seededRandom(1) })
    this.queue = new MemoryQueue({
      clock,
      onError: (error) => {
        throw error
      },
    })
    this.conductor = new Conductor(this.queue, this.hostId)
  }

  static async make(): Promise<TestHost> {
    return new TestHost(await mkdtemp(join(tmpdir(), 'nubo-agent-')), systemClock, diskFiles({ durable: false }))
  }

  /** A host on which nothing takes time but what waits for `clock`. */
  static onClock(clock: Clock): TestHost {
    return new TestHost('/nowhere', clock, memoryFiles())
  }

  async startAgent({ registered = true } = {}): Promise<Agent> {
    const { hostId, bootId, directory } = this
    this.agent = await assembleTestAgent({ hostId, bootId, directory, ...this.world() })
    this.agent.start()
    if (registered) await eventually(() => this.agent!.isRegistered)
    return this.agent
  }

  /** The agent is told a plan with these ports, beside those before. */
  async carry(...ports: PortId[]): Promise<void> {
    for (const port of ports) this.carried.add(port)
    await this.queue.cast(computeQueue(this.hostId), planOf(this, ++this.revision, { ports: [...this.carried] }))
  }

  async stopAgent(): Promise<void> {
    await this.agent?.stop()
    this.agent = undefined
  }

  private async write(files: Files, path: string, text: string): Promise<void> {
    if (this.diskIsFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    await files.write(path, text)
  }

  private world() {
    const { files, hypervisor, network, disks, queue, clock, life } = this
    if (!life) return { files, hypervisor, network, disks, queue, clock }
    return {
      ...{ files: life.of(files), hypervisor: life.of(hypervisor), disks: life.of(disks), network },
      ...{ queue: life.ofQueue(queue), clock: life.ofClock(clock) },
    }
  }

  async close(): Promise<void> {
    await this.stopAgent()
    await this.conductor.close()
    await rm(this.directory, { recursive: true, force: true })
  }
}

const hostConfiguration = {
  name: 'host-1',
  libvirtSocket: '',
  address: '127.0.0.1',
  vcpus: 4,
  memoryMiB: 4096,
  diskGiB: 100,
  reservedMemoryMiB: 256,
  reservedDiskGiB: 0,
  vcpuRatio: 16,
}

const noImages: Images = {
  pathOf: ({ imageId }) => `/images/${imageId}`,
  fetch: async () => undefined,
  makeRoom: async () => undefined,
  weigh: async () => ({ images: { count: 0, bytes: 0 }, freeBytes: 0 }),
}

export const newServer = () => newId<ServerId>(systemRandom)

/** An interface like no other. */
export function newNic(): GuestNicSpecification {
  const mac = `fa:16:3e:${systemRandom.bytes(3).toString('hex').match(/../g)!.join(':')}`
  return { portId: newId<PortId>(systemRandom), networkId: newId<NetworkId>(systemRandom), mac, mtu: 1450 }
}

/** A guest from an image of these bytes. */
export function guestSpecification(bytes: Uint8Array = new Uint8Array(), url = 'http://127.0.0.1:1/none'): GuestSpecification {
  return {
    name: 'web-1',
    projectId: newId<ProjectId>(systemRandom),
    userId: newId<UserId>(systemRandom),
    flavorName: 'tiny',
    vcpus: 1,
    memoryMiB: 64,
    diskGiB: 1,
    image: {
      imageId: newId<ImageId & Id<'image'>>(systemRandom),
      diskFormat: 'raw',
      sizeBytes: Math.max(1, bytes.length),
      virtualBytes: Math.max(512, bytes.length),
      sha512: createHash('sha512').update(bytes).digest('hex'),
      url,
      credential: 'credential-1',
    },
    configDrive: { metaData: { uuid: 'u', hostname: 'web-1' }, networkData: {}, userData: null, files: [] },
    nics: [],
  }
}

/** Disks that are never made. */
export function untilAborted(onAborted: (reason: unknown) => void = () => {}): DiskMaker {
  return {
    ...noDisks,
    make: (_record, _guest, signal) =>
      new Promise((_, reject) => {
        const abort = () => {
          onAborted(signal.reason)
          reject(signal.reason)
        }
        if (signal.aborted) abort()
        else signal.addEventListener('abort', abort)
      }),
  }
}
