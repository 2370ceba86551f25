import { reportsQueue, type Answer } from '@nubo/contract'
import { CloudError, type HostId } from '@nubo/kernel'
import type { Message, Queue, Subscription, WorkOptions } from '@nubo/queue'
import type { Chance } from './chance.js'
import type { Process } from './process.js'
import type { Simulation } from './simulation.js'
import type { Trace } from './trace.js'

export interface MessageFaults {
  lost: number
  repeated: number
  /** With it comes one that came before, however long ago. */
  again: number
  /** Arrives after seconds or minutes. */
  late: number
  /** The cast fails for its sender, and the message goes out all the same. */
  inDoubt: number
}

const remembered = 100

export const noMessageFaults: MessageFaults = { lost: 0, repeated: 0, again: 0, late: 0, inDoubt: 0 }

interface Worker {
  process: Process
  handler: (message: Message) => Promise<void>
  free: number
}

interface Answerer {
  process: Process
  handler: (question: Message) => Promise<Answer>
}

interface Lane {
  /** What was last put there, whatever became of it. */
  carried: Message[]
  waiting: Message[]
  workers: Set<Worker>
}

/** Redis with its queues: carries messages, in no order and with no promise. */
export class Redis {
  faults: MessageFaults = noMessageFaults
  /** Messages that have not arrived yet. */
  inFlight = 0
  private isUp = true
  private readonly lanes = new Map<string, Lane>()
  private readonly answerers = new Map<string, Answerer>()

  constructor(
    private readonly simulation: Simulation,
    private readonly chance: Chance,
    private readonly trace: Trace,
  ) {}

  queueOf(process: Process): Queue {
    return new SimulatedQueue(this, process, this.chance)
  }

  /** Everything that waits is gone. */
  empty(): void {
    this.trace.note('redis', 'loses everything')
    for (const lane of this.lanes.values()) lane.waiting = []
  }

  stop(): void {
    this.isUp = false
    this.trace.note('redis', 'stops')
  }

  start(): void {
    if (this.isUp) return
    this.isUp = true
    this.trace.note('redis', 'starts')
    for (const name of this.lanes.keys()) this.handSoon(name)
  }

  requireUp(): void {
    if (!this.isUp) throw new CloudError('Unavailable', 'The queue cannot be reached at the moment. Try again shortly.')
  }

  put(queue: string, message: Message): void {
    const { carried } = this.lane(queue)
    carried.push(message)
    if (carried.length > remembered) carried.shift()
    this.send(queue, message)
    if (this.chance.happens(this.faults.again)) this.sendAgain()
  }

  /** Something that a host said comes again: after its agent has died, say, and another one has come. */
  repeatOf(hostId: HostId): void {
    this.sendOneOf(
      reportsQueue,
      this.lane(reportsQueue).carried.filter((report) => report.hostId === hostId),
    )
  }

  private sendAgain(): void {
    const [queue, { carried }] = this.chance.pick([...this.lanes])
    this.sendOneOf(queue, carried)
  }

  /** What is seldom said as often as the rest. */
  private sendOneOf(queue: string, messages: readonly Message[]): void {
    const byKind = [...Map.groupBy(messages, ({ kind }) => kind).values()]
    if (byKind.length > 0) this.send(queue, this.chance.pick(this.chance.pick(byKind)))
  }

  private send(queue: string, message: Message): void {
    // Through JSON, as on the wire.
    const text = JSON.stringify(message)
    if (this.chance.happens(this.faults.lost)) return this.trace.note('redis', `loses ${describe(message)}`)
    const copies = this.chance.happens(this.faults.repeated) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      // Who repeats does so when no answer came: half of all repetitions come when much has happened since.
      const isLate = this.chance.happens(copy > 0 ? 0.5 : this.faults.late)
      if (isLate) this.trace.note('redis', `delays ${describe(message)}`)
      this.inFlight++
      this.simulation.after(isLate ? this.chance.spread(500, 40_000) : this.chance.between(0.1, 3), () => {
        this.inFlight--
        this.lane(queue).waiting.push(JSON.parse(text) as Message)
        this.handSoon(queue)
      })
    }
  }

  depth(queue: string): number {
    return this.lane(queue).waiting.length
  }

  work(queue: string, worker: Worker): () => void {
    const { workers } = this.lane(queue)
    workers.add(worker)
    const leave = () => void workers.delete(worker)
    worker.process.atDeath(leave)
    this.handSoon(queue)
    return leave
  }

  /** Carries a question to who answers there, and the answer back, if nothing comes between: nobody repeats either. */
  ask(queue: string, question: Message, onAnswer: (answer: Answer) => void): void {
    const answerer = this.answerers.get(queue)
    if (!answerer || this.chance.happens(this.faults.lost)) return
    const { process, handler } = answerer
    process.after(this.chance.between(0.1, 3), async () => {
      const unable = (error: unknown): Answer => ({ ok: false, kind: 'Unavailable', message: wordsOf(error) })
      const answer = await handler(copyOf(question)).catch(unable)
      if (this.isUp) onAnswer(copyOf(answer))
    })
  }

  answer(queue: string, answerer: Answerer): () => void {
    this.answerers.set(queue, answerer)
    const leave = () => {
      if (this.answerers.get(queue) === answerer) this.answerers.delete(queue)
    }
    answerer.process.atDeath(leave)
    return leave
  }

  handSoon(queue: string): void {
    this.simulation.after(this.chance.between(0, 1), () => this.hand(queue))
  }

  /** One message to one of those that have a hand free. */
  private hand(queue: string): void {
    const lane = this.lane(queue)
    const free = [...lane.workers].filter((worker) => worker.free > 0)
    if (!this.isUp || free.length === 0 || lane.waiting.length === 0) return
    const worker = this.chance.pick(free)
    const message = this.chance.take(lane.waiting)!
    worker.free--
    // What a process has taken is lost with it.
    worker.process.after(0, () => {
      this.trace.note(worker.process.name, `takes ${describe(message)}`)
      void worker
        .handler(message)
        .catch((error: unknown) => this.trace.note(worker.process.name, `failed: ${wordsOf(error)}`))
        .finally(() => {
          worker.free++
          this.handSoon(queue)
        })
    })
    if (lane.waiting.length > 0) this.handSoon(queue)
  }

  private lane(queue: string): Lane {
    let lane = this.lanes.get(queue)
    if (!lane) this.lanes.set(queue, (lane = { carried: [], waiting: [], workers: new Set() }))
    return lane
  }
}

class SimulatedQueue implements Queue {
  constructor(
    private readonly redis: Redis,
    private readonly process: Process,
    private readonly chance: Chance,
  ) {}

  cast(queue: string, message: Message): Promise<void> {
    return this.castAll(queue, [message])
  }

  async castAll(queue: string, messages: readonly Message[]): Promise<void> {
    await this.process.delay(this.chance.between(0.05, 1))
    this.redis.requireUp()
    for (const message of messages) this.redis.put(queue, message)
    await this.process.delay(this.chance.between(0.05, 1))
    if (this.chance.happens(this.redis.faults.inDoubt)) throw new CloudError('Unavailable', 'The queue did not answer.')
  }

  work(queue: string, handler: (message: Message) => Promise<void>, options: WorkOptions): Subscription {
    const leave = this.redis.work(queue, { process: this.process, handler, free: options.concurrency })
    return { close: async () => leave() }
  }

  async depth(queue: string): Promise<number> {
    await this.process.delay(this.chance.between(0.05, 1))
    this.redis.requireUp()
    return this.redis.depth(queue)
  }

  async backlog(queue: string): ReturnType<Queue['backlog']> {
    return { waiting: await this.depth(queue), oldestMs: 0 }
  }

  async ask(queue: string, question: Message, timeoutMs: number): Promise<Answer> {
    await this.process.delay(this.chance.between(0.05, 1))
    this.redis.requireUp()
    return await new Promise((resolve, reject) => {
      const late = this.process.after(timeoutMs, () =>
        reject(new CloudError('Unavailable', `No answer came within ${timeoutMs / 1000} s.`)),
      )
      this.redis.ask(queue, question, (answer) => {
        this.process.after(this.chance.between(0.1, 3), () => {
          late.cancel()
          resolve(answer)
        })
      })
    })
  }

  answer(queue: string, handler: (question: Message) => Promise<Answer>): Subscription {
    const leave = this.redis.answer(queue, { process: this.process, handler })
    return { close: async () => leave() }
  }

  async close(): Promise<void> {}
}

/** Through JSON, as on the wire. */
function copyOf<T>(told: T): T {
  return JSON.parse(JSON.stringify(told)) as T
}

function describe({ kind, ...message }: Message): string {
  const of = message.serverId ?? message.stepId ?? message.hostId ?? ''
  const fence = typeof message.fence === 'number' ? ` (fence ${message.fence})` : ''
  return `${String(kind)} ${String(of)}${fence}`
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
