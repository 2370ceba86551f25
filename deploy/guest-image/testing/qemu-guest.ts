import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

/** A guest under plain QEMU with TCG: its serial console, its QMP monitor and its guest agent, no libvirt between. */
export class QemuGuest {
  /** All that the serial console printed so far. */
  console = ''
  private readonly consoleListeners = new Set<() => void>()
  private serial: Socket | undefined
  private monitor: JsonLines | undefined
  private agentChannel: JsonLines | undefined

  private constructor(
    private readonly process: ChildProcess,
    private readonly directory: string,
  ) {}

  /** Starts QEMU with `devices` beside the serial port, the agent's channel and the monitor; the sockets are put into `directory`. */
  static async start(directory: string, devices: string[]): Promise<QemuGuest> {
    const socket = (name: string) => `socket,id=${name},path=${join(directory, `${name}.socket`)},server=on,wait=off`
    // Waits for the one who reads, so that no output is lost.
    const process = spawn(
      'qemu-system-x86_64',
      [
        ...[
          '-nodefaults',
          '-display',
          'none',
          '-m',
          '96',
          '-device',
          'virtio-rng-pci,rng=rng',
          '-object',
          'rng-random,id=rng,filename=/dev/urandom',
        ],
        ...['-chardev', `${socket('serial').replace('wait=off', 'wait=on')}`, '-serial', 'chardev:serial'],
        ...[
          '-chardev',
          socket('agent'),
          '-device',
          'virtio-serial',
          '-device',
          'virtserialport,chardev=agent,name=org.qemu.guest_agent.0',
        ],
        ...['-chardev', socket('monitor'), '-mon', 'chardev=monitor,mode=control'],
        ...devices,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const guest = new QemuGuest(process, directory)
    let complaints = ''
    process.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
    guest.serial = await connectWhenThere(join(directory, 'serial.socket'), () => {
      if (process.exitCode !== null) throw new Error(`QEMU ended: ${complaints}`)
    })
    guest.serial.setEncoding('utf8').on('data', (text: string) => {
      guest.console += text
      for (const listener of guest.consoleListeners) listener()
    })
    return guest
  }

  /** Waits until what the console printed after `from` (a length of `console`) matches; gives the match. */
  async consoleShows(pattern: RegExp, { from = 0, timeoutMs = 150_000 } = {}): Promise<RegExpExecArray> {
    const found = () => pattern.exec(this.console.slice(from))
    return new Promise((resolve, reject) => {
      const settle = (result: () => void) => {
        clearTimeout(timer)
        this.consoleListeners.delete(look)
        this.process.off('exit', giveUp)
        result()
      }
      const look = () => {
        const match = found()
        if (match) settle(() => resolve(match))
      }
      const giveUp = () => settle(() => reject(new Error(`The console never showed ${pattern}; it shows:\n${this.console}`)))
      const timer = setTimeout(giveUp, timeoutMs)
      this.consoleListeners.add(look)
      this.process.once('exit', giveUp)
      look()
    })
  }

  type(line: string): void {
    this.serial?.write(`${line}\n`)
  }

  /** One command of QEMU's monitor; gives its `return`, or throws its error. */
  async qmp(execute: string, args: object = {}): Promise<unknown> {
    if (!this.monitor) {
      this.monitor = await JsonLines.connect(join(this.directory, 'monitor.socket'))
      await this.monitor.call('qmp_capabilities', {})
    }
    return this.monitor.call(execute, args)
  }

  /** One command of the guest agent. */
  async agent(execute: string, args: object = {}): Promise<unknown> {
    this.agentChannel ??= await JsonLines.connect(join(this.directory, 'agent.socket'))
    return this.agentChannel.call(execute, args)
  }

  /** Waits until QEMU has ended by itself. */
  async ended(): Promise<void> {
    if (this.process.exitCode === null) await once(this.process, 'exit')
  }

  async destroy(): Promise<void> {
    if (this.process.exitCode !== null) return
    this.process.kill('SIGKILL')
    await once(this.process, 'exit')
  }
}

/** QMP and the guest agent speak alike: a JSON object a line, with a `return` or an `error` to each command, and events between. */
class JsonLines {
  private constructor(
    private readonly socket: Socket,
    private readonly lines: Interface,
  ) {}

  static async connect(path: string): Promise<JsonLines> {
    const socket = await connectWhenThere(path)
    return new JsonLines(socket, createInterface({ input: socket }))
  }

  async call(execute: string, args: object): Promise<unknown> {
    const answer = new Promise<{ return?: unknown; error?: { desc: string } }>((resolve) => {
      const take = (line: string) => {
        const message = JSON.parse(line)
        if (!('return' in message) && !('error' in message)) return
        this.lines.off('line', take)
        resolve(message)
      }
      this.lines.on('line', take)
    })
    this.socket.write(`${JSON.stringify({ execute, arguments: args })}\n`)
    const { return: result, error } = await answer
    if (error) throw new Error(`${execute}: ${error.desc}`)
    return result
  }
}

async function connectWhenThere(path: string, check: () => void = () => {}): Promise<Socket> {
  for (;;) {
    check()
    const socket = createConnection(path)
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    if (connected) return socket
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
