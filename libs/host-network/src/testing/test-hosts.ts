import { systemClock, type PortId } from '@nubo/kernel'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, chmod } from 'node:fs/promises'
import { once } from 'node:events'
import { linuxHostNetwork } from '../linux-host-network.js'
import type { HostNetwork } from '../host-network.js'
import { tapName } from '../names.js'
import { systemProcesses, type ProcessRunner } from '../process-runner.js'
import type { HostSettings } from '../settings.js'

const timeoutMs = 30_000
const underlayMtu = 1_600

/** A network namespace with names of its own for others, as a machine has. */
class Machine implements AsyncDisposable {
  private constructor(
    private readonly process: ChildProcess,
    readonly inside: ProcessRunner,
    readonly enter: readonly string[],
  ) {}

  static async begin(): Promise<Machine> {
    // Names of namespaces lie below /run: in one of its own nothing is left of them.
    const script = 'mount -t tmpfs tmpfs /run && ip link set lo up && echo ready && exec sleep infinity'
    const process = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(process.stdout!, 'data')
    const enter = ['nsenter', '--target', String(process.pid), '--net', '--mount']
    return new Machine(process, systemProcesses(enter), enter)
  }

  get pid(): number {
    return this.process.pid!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const ended = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await ended
  }
}

/** A host without a hypervisor: its guests are namespaces, and their taps ends of pairs with taps' names. */
export class TestHost {
  readonly guests: TestGuest[] = []

  constructor(
    private readonly machine: Machine,
    readonly address: string,
    readonly settings: HostSettings,
  ) {}

  /** A fresh agent's view of the host. */
  open(processes: ProcessRunner = this.machine.inside): HostNetwork {
    return linuxHostNetwork({ settings: this.settings, clock: systemClock, processes })
  }

  get processes(): ProcessRunner {
    return this.machine.inside
  }

  run(program: string, ...args: string[]): Promise<string> {
    return this.machine.inside.run(program, args, { timeoutMs })
  }

  /** Plugs in a guest, as the hypervisor does. */
  async plugIn(name: string, port: { portId: PortId; mac: string }, bridge: string, mtu: number): Promise<TestGuest> {
    const tap = tapName(port.portId)
    const script = [
      `ip netns add ${name}`,
      `ip link add ${tap} type veth peer name eth0 netns ${name}`,
      `ip -n ${name} link set lo up`,
      `ip -n ${name} link set eth0 address ${port.mac} mtu ${mtu} up`,
      `ip link set ${tap} mtu ${mtu} master ${bridge} up`,
    ]
    await this.run('sh', '-ec', script.join('\n'))
    const guest = new TestGuest(name, [...this.machine.enter, 'ip', 'netns', 'exec', name])
    this.guests.push(guest)
    return guest
  }

  async unplug(guest: TestGuest): Promise<void> {
    await this.run('ip', 'netns', 'del', guest.name)
    this.guests.splice(this.guests.indexOf(guest), 1)
  }
}

export class TestGuest {
  private readonly processes: ProcessRunner

  constructor(
    readonly name: string,
    readonly enter: readonly string[],
  ) {
    this.processes = systemProcesses(enter)
  }

  run(program: string, ...args: string[]): Promise<string> {
    return this.processes.run(program, args, { timeoutMs })
  }

  /** True if the address answers; `size` is that of the payload, which may not be taken apart on its way. */
  async reaches(address: string, size = 56): Promise<boolean> {
    const answer = this.run('ping', '-n', '-c', '3', '-i', '0.2', '-W', '1', '-w', '3', '-M', 'do', '-s', String(size), address)
    return await answer.then(
      () => true,
      () => false,
    )
  }
}

/** Some hosts on one underlay. */
export class TestHosts implements AsyncDisposable {
  private constructor(
    private readonly machines: readonly Machine[],
    readonly hosts: readonly TestHost[],
    private readonly directory: string,
  ) {}

  static async begin(count: number, more: Partial<HostSettings> = {}): Promise<TestHosts> {
    const directory = await mkdtemp('/tmp/nubo-networks-')
    await chmod(directory, 0o755)
    const underlay = await Machine.begin()
    await underlay.inside.run('ip', ['link', 'add', 'underlay', 'up', 'mtu', String(underlayMtu), 'type', 'bridge'], {
      timeoutMs,
    })
    const machines = [underlay]
    const hosts: TestHost[] = []
    for (let number = 1; number <= count; number++) {
      const machine = await Machine.begin()
      machines.push(machine)
      const address = `10.99.0.${number}`
      await connect(underlay, machine, number, address)
      hosts.push(new TestHost(machine, address, { ...settingsOf(address, `${directory}/${number}`), ...more }))
    }
    return new TestHosts(machines, hosts, directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.machines) await machine[Symbol.asyncDispose]()
    await rm(this.directory, { recursive: true, force: true })
  }
}

async function connect(underlay: Machine, machine: Machine, number: number, address: string): Promise<void> {
  const { inside } = underlay
  await inside.run('ip', ['link', 'add', `h${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(machine.pid)], {
    timeoutMs,
  })
  await inside.run('ip', ['link', 'set', `h${number}`, 'master', 'underlay', 'mtu', String(underlayMtu), 'up'], { timeoutMs })
  await machine.inside.run('ip', ['link', 'set', 'eth0', 'mtu', String(underlayMtu), 'up'], { timeoutMs })
  await machine.inside.run('ip', ['address', 'add', `${address}/24`, 'dev', 'eth0'], { timeoutMs })
}

function settingsOf(underlayAddress: string, directory: string): HostSettings {
  return {
    underlayAddress,
    vxlanPort: 4789,
    physicalNetworks: {},
    directory,
    dnsmasqUser: 'nobody',
    dnsDomain: 'nubo.test',
    resolverPort: 8053,
    tracking: 'br_netfilter',
  }
}
