import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { systemClock } from '@nubo/kernel'
import { identify, isAlive, type ProcessIdentity, signal } from '../process/identity.js'
import { mountPoints } from '../process/mounts.js'
import { run } from '../process/run.js'
import { waitFor } from '../process/wait.js'
import { ensureCgroup, removeCgroup } from './cgroup.js'
import type { HostSettings } from './host-settings.js'
import { layOut } from './lay-out.js'
import { type HostProcess, onlyChildOf, processesOnHost } from './namespace-processes.js'
import { connectHost, interfaceExists, removeInterface } from './network.js'
import { connectToOutside } from './outside.js'
import { quote } from './quote.js'

export type HostProgram = 'libvirtd' | 'agent'

const askAgainMs = 4000
/** A libvirtd that hangs would keep whoever asks it for ever, and the host from being shut down. */
const virshTimeoutMs = 20_000
const initScript = join(import.meta.dirname, '../../shell/host-init.sh')

/** One KVM host: namespaces on this machine with a libvirtd and a compute agent of their own. */
export class KvmHost {
  constructor(readonly settings: HostSettings) {}

  get name(): string {
    return this.settings.name
  }

  /** libvirt's unix socket, as the machine sees it. */
  get libvirtSocket(): string {
    return join(this.settings.runtimeDirectory, 'run/libvirt-sock')
  }

  /** The host's first process, or undefined while the host is off. Its end is a power cut. */
  get firstProcess(): ProcessIdentity | undefined {
    try {
      const identity: ProcessIdentity = JSON.parse(readFileSync(this.stateFile, 'utf8'))
      return isAlive(identity) ? identity : undefined
    } catch {
      return undefined
    }
  }

  get isOn(): boolean {
    return this.firstProcess !== undefined
  }

  /** Switches the host on, where it is off, and waits until libvirt answers. */
  async start(timeoutMs = 30_000): Promise<void> {
    if (this.firstProcess) await this.ensureWayOut(this.firstProcess.pid)
    else await this.boot(timeoutMs)
    await this.waitForLibvirt(timeoutMs)
  }

  /** Pulls the plug: everything on the host ends at once, as when the power fails. Its disks stay. */
  async cutPower(): Promise<void> {
    const init = this.firstProcess
    if (!init) return
    signal(init, 'SIGKILL')
    // The kernel lets go of the first process only when every other one in its namespace has ended.
    await waitFor(`${this.name} does not end`, () => !isAlive(init), { timeoutMs: 30_000, everyMs: 10 })
  }

  /**
   * Shuts the host down as a person would: no more agent, then each guest is asked to power off and has `graceMs` for it,
   * then the power goes. The agent ends first so that it does not take this for the guests' own wish.
   */
  async shutDown(graceMs: number): Promise<void> {
    if (this.firstProcess) {
      await this.hold('agent')
      await this.powerOffGuests(graceMs)
      await this.hold('libvirtd')
      await this.cutPower()
    }
    await this.cleanUp()
  }

  /** Takes away what a host that is off has left on the machine: its network device and control group. */
  async cleanUp(): Promise<void> {
    await removeInterface(this.settings.device)
    await removeInterface(this.settings.outsideDevice)
    await removeCgroup(this.settings.cgroup)
    rmSync(join(this.settings.directory, 'run'), { recursive: true, force: true })
    rmSync(this.stateFile, { force: true })
  }

  processes(): HostProcess[] {
    const init = this.firstProcess
    return init ? processesOnHost(init.pid) : []
  }

  /** The running program, or undefined between its end and its next start. */
  program(name: HostProgram): ProcessIdentity | undefined {
    const file = join(this.settings.directory, 'control', `${name}.pid`)
    if (!existsSync(file)) return undefined
    const pidOnHost = Number(readFileSync(file, 'utf8'))
    const found = this.processes().find((process) => process.pidOnHost === pidOnHost)
    return found && identify(found.pid)
  }

  /** Ends a program with `ending` and waits until the host has started it again. Guests and the other program go on. */
  async restart(name: HostProgram, ending: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const before = this.program(name)
    if (before) signal(before, ending)
    await waitFor(
      `${name} of ${this.name} does not come back`,
      () => this.program(name)?.pid !== before?.pid && this.program(name),
      {
        timeoutMs: 30_000,
      },
    )
    if (name === 'libvirtd') await this.waitForLibvirt(30_000)
  }

  /** Ends a program, with SIGKILL where it does not by itself, and keeps it from being started again until `release`. */
  async hold(name: HostProgram, graceMs = 15_000): Promise<void> {
    writeFileSync(join(this.settings.directory, 'control', `${name}.held`), '')
    const running = this.program(name)
    if (!running) return
    signal(running, 'SIGTERM')
    try {
      await waitFor(`${name} does not end`, () => !isAlive(running), { timeoutMs: graceMs })
    } catch {
      signal(running, 'SIGKILL')
      await waitFor(`${name} does not end`, () => !isAlive(running), { timeoutMs: 10_000 })
    }
  }

  release(name: HostProgram): void {
    rmSync(join(this.settings.directory, 'control', `${name}.held`), { force: true })
  }

  /** The command that the host runs as its agent from now on; an agent that runs already goes on until `restart`. */
  setAgent(command: readonly string[]): void {
    mkdirSync(join(this.settings.directory, 'control'), { recursive: true })
    writeFileSync(join(this.settings.directory, 'control/agent.sh'), `exec ${command.map(quote).join(' ')}\n`)
  }

  /** Runs `virsh` on the host's libvirt and gives what it printed. Throws where libvirt keeps silent. */
  async virsh(...args: string[]): Promise<string> {
    const command = ['--connect', `qemu:///system?socket=${this.libvirtSocket}`, '--quiet', ...args]
    const result = await run('virsh', command, { timeoutMs: virshTimeoutMs })
    if (result.code !== 0) throw new Error(`virsh ${args[0]} on ${this.name}: ${result.stderr.trim()}`)
    return result.stdout.trim()
  }

  private get stateFile(): string {
    return join(this.settings.directory, 'first-process.json')
  }

  private async boot(timeoutMs: number): Promise<void> {
    const { settings } = this
    const settingsFile = layOut(settings)
    const addToGroup = ensureCgroup({ path: settings.cgroup, memoryMiB: settings.memoryMiB })
    const log = openSync(join(settings.logDirectory, 'init.log'), 'a')
    // The shell joins the control group first, so that everything on the host is born in it.
    const joinGroup = addToGroup ? `echo $$ > ${quote(addToGroup)} || true; ` : ''
    const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
    // In a chroot the root is no mount of its own, and unshare(1) cannot make it private; then the script does what it can.
    const propagation = mountPoints().has('/') ? 'private' : 'unchanged'
    const unshare = ['unshare', ...namespaces, '--propagation', propagation, '/bin/bash', initScript, settingsFile]
    const child = spawn('/bin/sh', ['-c', `${joinGroup}exec ${unshare.map(quote).join(' ')}`], {
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', log, log],
      detached: true,
    })
    closeSync(log)
    child.unref()
    const parent = child.pid!
    const ended = () => child.exitCode !== null
    const init = await waitFor(`${this.name} does not start`, () => ended() || onlyChildOf(parent), { timeoutMs, everyMs: 10 })
    const identity = init !== true && identify(init)
    if (!identity) throw new Error(`${this.name} does not start: ${this.lastWords()}`)
    writeFileSync(this.stateFile, JSON.stringify(identity))
    await this.checkPrivacy()
    await connectHost(settings.underlay, settings.device, settings.address, identity.pid)
    await connectToOutside(settings.outside, settings.outsideDevice, identity.pid)
    writeFileSync(join(settings.directory, 'control/network-is-up'), '')
  }

  /** A host that is on since before there was an outside is connected to it while its guests go on. */
  private async ensureWayOut(pid: number): Promise<void> {
    const { outside, outsideDevice } = this.settings
    if (!(await interfaceExists(outsideDevice))) await connectToOutside(outside, outsideDevice, pid)
  }

  /** What the host mounts must stay with the host. In a chroot on a shared mount it does not. */
  private async checkPrivacy(): Promise<void> {
    const leaked = [...mountPoints()].filter((path) => path === '/etc/libvirt' || path === join(this.settings.directory, 'stage'))
    if (leaked.length === 0) return
    await this.cutPower()
    for (const path of leaked) await run('umount', ['--lazy', path])
    throw new Error(
      `mounts of ${this.name} show on the machine: bind the chroot's root onto itself (mount --bind) before entering it.`,
    )
  }

  private lastWords(): string {
    return readFileSync(join(this.settings.logDirectory, 'init.log'), 'utf8').trim().split('\n').slice(-3).join('; ')
  }

  private async waitForLibvirt(timeoutMs: number): Promise<void> {
    const answers = () => {
      if (!this.firstProcess) throw new Error(`${this.name} ended while it started: ${this.lastWords()}`)
      return accepts(this.libvirtSocket)
    }
    await waitFor(`libvirt on ${this.name} does not answer`, answers, { timeoutMs })
  }

  /**
   * Asks again now and then, because a guest that is still booting does not hear it. Where libvirt does not answer nobody
   * can ask: the power cut that follows is all there is.
   */
  private async powerOffGuests(graceMs: number): Promise<void> {
    const running = async () => (await this.virsh('list', '--uuid')).split('\n').filter(Boolean)
    const end = systemClock.monotonicMs() + graceMs
    try {
      while ((await running()).length && systemClock.monotonicMs() < end) {
        for (const guest of await running()) await this.virsh('shutdown', guest).catch(() => {})
        const timeoutMs = Math.min(askAgainMs, end - systemClock.monotonicMs())
        await waitFor('guests are still on', async () => (await running()).length === 0, { timeoutMs, everyMs: 200 }).catch(
          () => {},
        )
      }
      for (const guest of await running()) await this.virsh('destroy', guest)
    } catch {
      return
    }
  }
}

/** True when something accepts connections on the unix socket. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket.destroy() && true))
    socket.once('error', () => resolve(false))
  })
}
