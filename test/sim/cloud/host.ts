import { Agent } from '@nubo/compute-agent/dist/agent.js'
import { noDisks } from '@nubo/compute-agent/dist/guests/disk-maker.js'
import { GuestFiles } from '@nubo/compute-agent/dist/guests/guest-files.js'
import { HostRecord } from '@nubo/compute-agent/dist/host-record.js'
import type { Images } from '@nubo/compute-agent/dist/images/image-cache.js'
import { Journal } from '@nubo/compute-agent/dist/journal.js'
import { lostJournal } from '@nubo/compute-agent/dist/lost-journal.js'
import { KeptPlan } from '@nubo/compute-agent/dist/networks/kept-plan.js'
import { SimulatedHypervisor, type Hypervisor, type HypervisorEvent } from '@nubo/hypervisor'
import { newId, type Clock, type HostId } from '@nubo/kernel'
import type { Chance } from '../core/chance.js'
import type { Process } from '../core/process.js'
import { wordsOf } from '../core/redis.js'
import type { World } from '../core/world.js'
import { enrol, numbering } from './sealed.js'
import { Disk } from './disk.js'
import { HostNetworks } from './host-networks.js'

const directory = '/host'
const eventDelayMs = 0.2

export interface HostSize {
  vcpus: number
  memoryMiB: number
}

/** A host with its hypervisor and its disk, and the agent that runs on it when it runs. */
export class SimulatedHost {
  readonly id: HostId
  readonly hypervisor: SimulatedHypervisor
  readonly disk: Disk
  readonly networks: HostNetworks
  /** An operator took it out of service, now or before. */
  mayBeDisabled = false
  private readonly chance: Chance
  private machine: Process
  private agentProcess: Process | undefined
  private agent: Agent | undefined
  private journal: Journal | undefined
  private boots = 1
  private registrations = 0

  constructor(
    private readonly world: World,
    readonly name: string,
    private readonly size: HostSize,
    private readonly skewMs: number,
  ) {
    this.chance = world.chance.fork()
    this.id = newId<HostId>(this.chance.random)
    world.trace.name(this.id, 'host')
    enrol(world, this.id)
    this.disk = new Disk(this.chance.fork())
    this.networks = new HostNetworks(this.chance.fork())
    this.machine = world.process(name)
    this.hypervisor = new SimulatedHypervisor({
      clock: this.machineClock(),
      random: this.chance.random,
      hostName: name,
      latencyMs: latencies,
      guestReactionMs: 500,
    })
  }

  get isOn(): boolean {
    return this.machine.isAlive
  }

  /** Nothing is under way on it, and the conductor has all that it has to tell. */
  get isAtRest(): boolean {
    return this.agent?.isRegistered === true && this.journal?.unacknowledged().length === 0
  }

  startAgent(): void {
    if (!this.isOn || this.agentProcess?.isAlive) return
    this.world.trace.note(this.name, 'agent starts')
    const process = (this.agentProcess = this.world.process(`${this.name}/agent`, this.skewMs))
    const start = () =>
      this.assemble(process).then(
        (agent) => {
          this.agent = agent
          agent.start()
        },
        (error: unknown) => {
          this.world.trace.note(process.name, `did not start: ${wordsOf(error)}`)
          process.after(1_000, () => void start())
        },
      )
    void start()
  }

  killAgent(): void {
    if (!this.agentProcess?.isAlive) return
    this.world.trace.note(this.name, 'agent is killed')
    this.agentProcess.kill()
    this.agent = undefined
  }

  pauseAgent(milliseconds: number): void {
    this.world.trace.note(this.name, `agent is paused for ${Math.round(milliseconds)} ms`)
    this.agentProcess?.pause(milliseconds)
  }

  /** The power goes: agent and guests end at once; what lies on the disk stays. */
  cutPower(): void {
    if (!this.isOn) return
    this.world.trace.note(this.name, 'loses power')
    this.killAgent()
    this.machine.kill()
    this.hypervisor.powerCut()
    this.networks.inForce = undefined
  }

  boot(): void {
    if (this.isOn) return
    this.boots++
    this.world.trace.note(this.name, `boots`)
    this.machine = this.world.process(this.name)
    this.startAgent()
  }

  /** All is well with it from now on, once it is on. */
  heal(): void {
    this.hypervisor.faults.heal()
    this.hypervisor.tellTruth()
    this.networks.heal()
    this.startAgent()
  }

  private async assemble(process: Process): Promise<Agent> {
    const { world } = this
    const logger = world.loggerOf(process)
    const files = this.disk.filesOf(process)
    const bootId = `boot ${this.boots}`
    const onBroken = (path: string) => world.trace.note(process.name, `cannot read ${path}`)
    const hypervisor = hypervisorOf(process, this.hypervisor)
    const guests = await GuestFiles.open(files, `${directory}/guests`, onBroken)
    const journal = await Journal.open({
      ...{ files, directory: `${directory}/journal`, clock: process.clock, bootId, onBroken },
    })
    this.journal = journal
    const record = await HostRecord.open({
      ...{ files, directory, hostId: this.id },
      examine: (found) => lostJournal(found, { journal, guests, hypervisor }),
    })
    return new Agent({
      configuration: { host: this.configuration() },
      queue: numbering(world.redis.queueOf(process), () => ++this.registrations),
      ...{ hypervisor, guests, journal, record, bootId },
      disks: noDisks,
      images: noImages,
      network: this.networks.drivenBy(process),
      networkPlan: await KeptPlan.open({ files, directory, bootId, onBroken }),
      uptimeSeconds: () => 1,
      clock: process.clock,
      random: this.chance.fork().random,
      logger,
    })
  }

  private configuration() {
    return {
      id: this.id,
      name: this.name,
      directory,
      libvirtSocket: '',
      address: '127.0.0.1',
      ...this.size,
      diskGiB: 1_000,
      reservedMemoryMiB: 0,
      reservedDiskGiB: 0,
      vcpuRatio: 1,
    }
  }

  /** Of the machine that is on now: with its power goes what the hypervisor had under way. */
  private machineClock(): Clock {
    return {
      now: () => this.machine.clock.now(),
      monotonicMs: () => this.machine.clock.monotonicMs(),
      after: (delayMs, action) => this.machine.clock.after(delayMs, action),
      sleep: (delayMs, signal) => this.machine.clock.sleep(delayMs, signal),
    }
  }
}

const short = [0.5, 3] as const
const long = [5, 400] as const
const latencies = {
  describe: short,
  define: short,
  start: long,
  shutdown: short,
  reboot: short,
  reset: short,
  powerOff: long,
  undefine: short,
  attachNic: short,
  detachNic: short,
  inspect: short,
  list: short,
} as const

/** The hypervisor as one process talks to it: when the process ends, the hypervisor goes on with what it was asked for. */
function hypervisorOf(process: Process, hypervisor: SimulatedHypervisor): Hypervisor {
  const watch = (listener: (event: HypervisorEvent) => void) => {
    const watching = hypervisor.watch((event) => void process.after(eventDelayMs, () => listener(event)))
    process.atDeath(() => watching.stop())
    return watching
  }
  return new Proxy<Hypervisor>(hypervisor, {
    get(target, verb: keyof Hypervisor) {
      if (verb === 'watch') return watch
      return (...values: unknown[]) => answered(process, (target[verb] as (...all: unknown[]) => Promise<unknown>)(...values))
    },
  })
}

/** An answer reaches only who is still there. */
function answered<T>(process: Process, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    answer.then(
      (value) => void process.after(0, () => resolve(value)),
      (error: unknown) => void process.after(0, () => reject(error as Error)),
    )
  })
}

const noImages: Images = {
  pathOf: ({ imageId }) => `/images/${imageId}`,
  fetch: async () => undefined,
  makeRoom: async () => undefined,
  weigh: async () => ({ images: { count: 0, bytes: 0 }, freeBytes: 0 }),
}
