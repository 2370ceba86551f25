import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { changesTo } from '../engine/program-difference.js'
import { LinuxKernel } from '../linux/linux-kernel.js'
import type { HostPlan } from '../plan.js'
import { programOf } from '../program-of.js'
import type { HostSettings } from '../settings.js'
import { systemProcesses, type ProcessRunner } from '../process-runner.js'
import { entering } from '../entering.js'

const timeoutMs = 60_000
const talker = new URL('talker.py', import.meta.url).pathname

/**
 * A host of its own: namespaces of processes, mounts and networks, in which everything ends with it. Named network
 * namespaces that are made in it are its own too.
 */
export class Lab {
  private constructor(
    private readonly holder: ChildProcess,
    readonly pid: number,
    readonly processes: ProcessRunner,
  ) {}

  static async open(): Promise<Lab> {
    const flags = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private']
    const begin =
      'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && ip link set lo up && echo ready && exec sleep infinity'
    const holder = spawn('unshare', [...flags, 'sh', '-c', begin], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(holder.stdout!, 'data')
    const pid = Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8'))
    // Its root too: where that is another than the namespace's own, nsenter would leave it.
    const entered = ['nsenter', '--target', String(pid), '--net', '--mount', '--pid', '--root']
    return new Lab(holder, pid, systemProcesses(entered))
  }

  run(program: string, ...args: string[]): Promise<string> {
    return this.processes.run(program, args, { timeoutMs })
  }

  /** A program that stays, in a named network namespace or, without one, in the lab's. */
  start(namespace: string | undefined, program: string, ...args: string[]): ChildProcess {
    const inside = namespace === undefined ? [] : entering(namespace)
    const entered = ['--target', String(this.pid), '--net', '--mount', '--pid', '--root', '--', ...inside, program, ...args]
    return spawn('nsenter', entered, { stdio: ['pipe', 'pipe', 'inherit'] })
  }

  /** A network namespace whose link `eth0` is the tap's other end. */
  async plug(namespace: string, tap: string, bridge: string, mac: string): Promise<void> {
    await this.run('ip', 'netns', 'add', namespace)
    // A guest that says nothing of its own.
    const quiet = 'for f in all default; do echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done'
    await this.run(...entering(namespace), 'sh', '-c', quiet)
    await this.run('ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
    await this.run(...entering(namespace), 'ip', 'link', 'set', 'eth0', 'address', mac, 'up')
    await this.run('sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${tap}/disable_ipv6`)
    await this.run('ip', 'link', 'set', tap, 'master', bridge, 'up')
  }

  /** Addresses for a guest, and the way out. */
  async address(namespace: string, addresses: readonly string[], gateway?: string): Promise<void> {
    for (const address of addresses) await this.run(...entering(namespace), 'ip', 'address', 'add', address, 'dev', 'eth0')
    if (gateway) await this.run(...entering(namespace), 'ip', 'route', 'replace', 'default', 'via', gateway)
  }

  /** Makes the kernel what the plan says, from what is there; programs are not started. */
  async apply(plan: HostPlan, settings: HostSettings): Promise<{ changes: number; problems: string[] }> {
    const kernel = new LinuxKernel(this.processes)
    const program = programOf(plan, settings)
    const changes = changesTo(program, await kernel.read(program.settings), undefined)
    return {
      changes: changes.objects.length + changes.tables.length,
      problems: (await kernel.change(changes)).map(({ why }) => why),
    }
  }

  async close(): Promise<void> {
    const ended = once(this.holder, 'exit')
    this.holder.kill('SIGKILL')
    await ended
  }
}

/** One line in, one line out. */
export class Talk {
  private readonly lines: AsyncIterator<string>

  private constructor(private readonly child: ChildProcess) {
    this.lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  }

  /** Somebody who tells whoever connects to the port which address that has here. */
  static async serve(lab: Lab, namespace: string | undefined, port: number): Promise<Talk> {
    const talk = new Talk(lab.start(namespace, 'python3', talker, 'serve', String(port)))
    await talk.hear()
    return talk
  }

  /** A connection to such a one. */
  static call(lab: Lab, namespace: string, address: string, port: number): Talk {
    return new Talk(lab.start(namespace, 'python3', talker, 'call', address, String(port)))
  }

  async hear(): Promise<string> {
    const { value, done } = await this.lines.next()
    return done ? '-' : value
  }

  async say(line: string): Promise<string> {
    this.child.stdin!.write(`${line}\n`)
    return await this.hear()
  }

  end(): void {
    this.child.stdin!.end()
  }
}

/** Whom the other end sees; a dash where nobody answers. */
export async function seenAs(lab: Lab, namespace: string, address: string, port: number): Promise<string> {
  const talk = Talk.call(lab, namespace, address, port)
  talk.end()
  return (await talk.hear()).split(' ')[0]!
}

/** A guest in a lab, by whom every frame is written by hand. */
export class PacketGuest {
  private readonly answers: AsyncIterator<string>
  private markers = 0

  private constructor(private readonly child: ChildProcess) {
    this.answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  }

  static async start(lab: Lab, namespace: string): Promise<PacketGuest> {
    const program = new URL('packet-guest.py', import.meta.url).pathname
    const guest = new PacketGuest(lab.start(namespace, 'python3', program, 'eth0'))
    await guest.answers.next()
    return guest
  }

  async send(...frames: string[]): Promise<void> {
    for (const frame of frames) await this.ask({ send: frame })
  }

  /** What it heard up to the frame that has this text in it, which must come. */
  async hear(until: string): Promise<string[]> {
    const { heard, complete } = await this.ask({ until, seconds: 60 })
    if (!complete) throw new Error(`the frame with ${until} did not come, but: ${heard!.join(' ')}`)
    return heard!
  }

  /** What it heard up to now. */
  async drain(): Promise<string[]> {
    const { heard } = await this.ask({ until: 'nothing has this text', seconds: 0 })
    return heard!
  }

  /** A text that no other frame has. */
  marker(): string {
    this.markers += 1
    return `6e75626f${this.markers.toString(16).padStart(8, '0')}${this.child.pid!.toString(16).padStart(8, '0')}`
  }

  private async ask(command: object): Promise<{ heard?: string[]; complete?: boolean }> {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`)
    const { value, done } = await this.answers.next()
    if (done) throw new Error('the guest has ended')
    return JSON.parse(value) as { heard?: string[]; complete?: boolean }
  }
}
