import type { Connection, Connections } from '@nubo/database'
import type { Clock } from '@nubo/kernel'
import type { Message, Queue, Subscription } from '@nubo/queue'
import type { Hypervisor, HypervisorEvent } from '@nubo/hypervisor'
import type { Files } from '../../../services/compute-agent/src/files.js'

/** One thing that a process is about to do to the world, or to ask it. */
export interface Call {
  process: string
  kind: 'database' | 'queue' | 'hypervisor' | 'file'
  /** What it is, the same in every run. */
  label: string
}

/** What becomes of a call: undefined lets it be; 'kill' ends its process before it is made. */
export type Interference = 'kill' | ((make: () => Promise<unknown>) => Promise<unknown>)

const never = new Promise<never>(() => {})

/**
 * The one way by which a process reaches the world. When the process was killed, nothing goes through any more and no
 * answer comes: its code waits for ever, as if it were not there.
 */
export class Door {
  private open = true
  private readonly atDeath = new Set<() => void>()

  constructor(
    readonly process: string,
    private readonly interfere: (call: Call) => Interference | undefined,
    private readonly busy: Set<Promise<unknown>>,
  ) {}

  get isOpen(): boolean {
    return this.open
  }

  kill(): void {
    this.open = false
    for (const rite of this.atDeath) rite()
    this.atDeath.clear()
  }

  async pass<T>(kind: Call['kind'], label: string, make: () => Promise<T>): Promise<T> {
    if (!this.open) return await never
    const interference = this.interfere({ process: this.process, kind, label })
    if (interference === 'kill') {
      this.kill()
      return await never
    }
    const made = interference ? (interference(make) as Promise<T>) : make()
    this.noteBusy(made)
    try {
      const answer = await made
      return this.open ? answer : await never
    } catch (error) {
      if (!this.open) return await never
      throw error
    }
  }

  /** Until the call itself has ended: who made it may have been killed meanwhile, and never goes on. */
  private noteBusy(made: Promise<unknown>): void {
    const ended = () => void this.busy.delete(made)
    this.busy.add(made)
    made.then(ended, ended)
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, action) => clock.after(delayMs, () => this.open && action()),
      sleep: async (delayMs, signal) => {
        await clock.sleep(delayMs, signal)
        if (!this.open) await never
      },
    }
  }

  /** The pool of all processes, as this one sees it: its connections break when it dies. */
  connections(pool: Connections): Connections {
    return {
      get use() {
        return pool.use
      },
      query: (statement) => this.pass('database', nameOf(statement.text), () => pool.query(statement)),
      connect: async () => this.connection(await pool.connect()),
      end: async () => undefined,
    }
  }

  queue(queue: Queue): Queue {
    const gated: Partial<Queue> = {
      cast: (name, message) => this.castAll(queue, name, [message]),
      castAll: (name, messages) => this.castAll(queue, name, messages),
      work: (name, handler, options) => this.untilDeath(queue.work(name, handler, options)),
      answer: (name, handler) => this.untilDeath(queue.answer(name, handler)),
      depth: (name) => this.pass('queue', `depth of ${plain(name)}`, () => queue.depth(name)),
      close: async () => undefined,
    }
    return new Proxy<Queue>(queue, {
      get: (target, method: keyof Queue) => gated[method] ?? (target[method] as () => unknown).bind(target),
    })
  }

  hypervisor(hypervisor: Hypervisor): Hypervisor {
    const watch = (listener: (event: HypervisorEvent) => void) => {
      const watching = hypervisor.watch((event) => this.open && listener(event))
      this.atDeath.add(() => watching.stop())
      return watching
    }
    return new Proxy<Hypervisor>(hypervisor, {
      get: (target, verb: keyof Hypervisor) => {
        if (verb === 'watch') return watch
        const call = target[verb] as (...values: unknown[]) => Promise<unknown>
        return (...values: unknown[]) => this.pass('hypervisor', verb, () => call.apply(target, values))
      },
    })
  }

  files(files: Files): Files {
    return {
      ...files,
      write: (path, text) => this.pass('file', `write ${plain(path)}`, () => files.write(path, text)),
      remove: (path) => this.pass('file', `remove ${plain(path)}`, () => files.remove(path)),
    }
  }

  private connection(connection: Connection): Connection {
    const cut = () => connection.release(new Error('its process was killed'))
    if (!this.open) cut()
    else this.atDeath.add(cut)
    return {
      query: (statement) => {
        const text = typeof statement === 'string' ? statement : statement.text
        return this.pass('database', nameOf(text), () => connection.query(statement))
      },
      release: (broken) => {
        if (this.atDeath.delete(cut)) connection.release(broken)
      },
    }
  }

  private castAll(queue: Queue, name: string, messages: readonly Message[]): Promise<void> {
    const kinds = [...new Set(messages.map((message) => message.kind))].join(', ')
    return this.pass('queue', `cast ${kinds} to ${plain(name)}`, () => queue.castAll(name, messages))
  }

  private untilDeath(subscription: Subscription): Subscription {
    // What waits in the queue stays there for the next process; what this one took is lost with it.
    this.atDeath.add(() => void subscription.close())
    return subscription
  }
}

/** The first words of a statement, which tell it from the others of its transaction. */
function nameOf(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 48)
}

const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

function plain(name: string): string {
  return name.replaceAll(uuid, '*')
}
