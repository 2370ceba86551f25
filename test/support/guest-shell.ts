import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

export interface Ran {
  code: number
  /** What it wrote, without the line that was typed. */
  output: string
}

/** The words that run a line beside the shell: busybox's own ends together with a job of its own. */
export const inBackground = (line: string) => `( (${line}) & )`

/** A shell on a guest's serial console: whoever looks at a guest's network from within cannot come by that network. */
export class GuestShell {
  private heard = ''
  private onHeard: (() => void) | undefined
  private count = 0

  private constructor(private readonly socket: Socket) {
    // A guest that is gone says no more; who waits for its words is told by their time.
    socket.on('error', () => undefined)
    socket.setEncoding('latin1').on('data', (text) => {
      this.heard += String(text)
      this.onHeard?.()
    })
  }

  /** Logs in as root on the console's unix socket. */
  static async open(path: string, password: string, timeoutMs = 60_000): Promise<GuestShell> {
    const socket = createConnection(path)
    await once(socket, 'connect')
    const shell = new GuestShell(socket)
    shell.type('\n')
    await shell.hears(/login: $/, timeoutMs)
    shell.type('root\n')
    await shell.hears(/assword: $/, timeoutMs)
    shell.type(`${password}\n`)
    await shell.hears(/# \S*$/, timeoutMs)
    shell.type(`stty -echo; PS1=; PS2=\n`)
    await shell.run('true', timeoutMs)
    return shell
  }

  /** Runs a line and waits for its end. */
  async run(line: string, timeoutMs = 60_000): Promise<Ran> {
    const mark = `end-${++this.count}`
    this.heard = ''
    // The mark is not what is typed, so that an echo is not taken for it.
    this.type(`${line}\necho "${mark.replace('-', '-""')} $?"\n`)
    const [all, code] = await this.hears(new RegExp(`${mark} (\\d+)\\r?\\n`), timeoutMs)
    const output = this.heard.slice(0, this.heard.indexOf(all!)).replaceAll('\r', '').trim()
    return { code: Number(code), output }
  }

  /** Makes the guest's kernel stand still. */
  async halt(): Promise<void> {
    this.type('halt -f\n')
    await this.hears(/System halted/, 60_000)
    this.socket.end()
  }

  close(): void {
    this.type('exit\n')
    this.socket.end()
  }

  private type(text: string): void {
    this.socket.write(text)
  }

  private async hears(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const late = AbortSignal.timeout(timeoutMs)
    for (;;) {
      const match = pattern.exec(this.heard)
      if (match) return match
      await new Promise<void>((resolve, reject) => {
        this.onHeard = resolve
        late.addEventListener('abort', () => reject(new Error(`the console never said ${pattern}; it said: ${this.heard}`)), {
          once: true,
        })
      })
    }
  }
}
