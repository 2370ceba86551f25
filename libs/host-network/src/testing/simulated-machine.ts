import { CloudError, type Clock } from '@nubo/kernel'
import { Daemons } from '../daemons.js'
import type { NetworkFiles } from '../files.js'
import type { ProcessRunner } from '../process-runner.js'
import type { LiveProcess, ProcessTable } from '../process-table.js'
import { ProgrammedHostNetwork } from '../programmed-host-network.js'
import type { HostSettings } from '../settings.js'
import { SimulatedKernel } from './simulated-kernel.js'

/** A machine without a kernel of its own, for tests that look at what is done rather than at packets. */
export class SimulatedMachine {
  readonly kernel: SimulatedKernel
  readonly files = new Map<string, string>()
  readonly running = new Map<number, LiveProcess & { program: string; signals: string[] }>()
  /** Programs of which none can be started. */
  readonly broken = new Set<string>()
  private lastPid = 100

  constructor(
    readonly settings: HostSettings,
    readonly clock: Clock,
    devices: readonly string[] = [],
  ) {
    this.kernel = new SimulatedKernel(devices)
  }

  /** As an agent opens it that has just begun. */
  open(): ProgrammedHostNetwork {
    const { settings, clock, kernel, processes, table, networkFiles: files } = this
    const daemons = new Daemons({ processes, table, files, clock, directory: `${settings.directory}/processes` })
    return new ProgrammedHostNetwork({ kernel, daemons, followers: [], files, settings, clock })
  }

  /** The process that was started as this one of the program's. */
  processOf(name: string) {
    return [...this.running].find(([, { args }]) => args.some((arg) => arg.endsWith(`/${name}.pid`)))
  }

  kill(name: string): void {
    this.running.delete(this.processOf(name)![0])
  }

  private readonly networkFiles: NetworkFiles = {
    read: async (path) => this.files.get(path),
    write: async (path, text) => void this.files.set(path, text),
    remove: async (path) => void this.files.delete(path),
    list: async (directory) => [...this.files.keys()].filter((path) => path.startsWith(`${directory}/`)),
  }

  /** Programs put themselves into the background, and write down where they are. */
  private readonly processes: ProcessRunner = {
    run: async (first, rest) => {
      const [program, ...args] = first === 'nsenter' ? rest.slice(1) : [first, ...rest]
      if (this.broken.has(program!)) throw new CloudError('Unavailable', `${program} failed: it is broken`)
      const pid = ++this.lastPid
      this.running.set(pid, { program: program!, args: [program!, ...args], startedAt: String(pid), signals: [] })
      const path = args.find((arg) => arg.startsWith('--pid-file='))!.slice('--pid-file='.length)
      this.files.set(path, String(pid))
      return ''
    },
  }

  private readonly table: ProcessTable = {
    find: async (pid) => this.running.get(pid),
    signal: (pid, signal) => {
      this.running.get(pid)?.signals.push(signal)
      if (signal !== 'SIGHUP') this.running.delete(pid)
    },
  }
}
