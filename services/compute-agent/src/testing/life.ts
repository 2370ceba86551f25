import type { Clock } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'

const never = new Promise<never>(() => {})

/**
 * The life of one agent's process, which ends at a given call to the world: right before it, or right after it took effect.
 * From then on nothing that the agent does reaches the world, and nothing of the world reaches the agent.
 */
export class Life {
  private callsLeft = Infinity
  private takesEffect = false
  private readonly lastWill: (() => void)[] = []
  private readonly end = new Promise<void>((resolve) => this.lastWill.push(resolve))
  isOver = false

  /** From now on: the so-many-th call is the last, and takes effect or not. */
  endAt(call: number, { takesEffect }: { takesEffect: boolean }): void {
    this.callsLeft = call
    this.takesEffect = takesEffect
  }

  /** `world`, of which every method that returns a promise is a call. */
  of<World extends object>(world: World): World {
    return new Proxy(world, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...values: unknown[]) => this.call(() => Reflect.apply(member, target, values))
      },
    })
  }

  /** Casts are calls; what is subscribed to ends with the life. */
  ofQueue(queue: Queue): Queue {
    const until = (subscription: ReturnType<Queue['work']>) => {
      this.lastWill.push(() => void subscription.close())
      return subscription
    }
    return {
      cast: (name, message) => this.call(() => queue.cast(name, message)),
      castAll: (name, messages) => this.call(() => queue.castAll(name, messages)),
      depth: (name) => queue.depth(name),
      backlog: (name) => queue.backlog(name),
      ask: (name, question, timeoutMs) => queue.ask(name, question, timeoutMs),
      work: (name, handler, options) => until(queue.work(name, (message) => Promise.race([handler(message), this.end]), options)),
      answer: (name, handler) => until(queue.answer(name, handler)),
      close: () => queue.close(),
    }
  }

  ofClock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, action, options) => clock.after(delayMs, () => this.isOver || action(), options),
      sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
    }
  }

  private call<T>(work: () => T): T {
    if (this.isOver) return never as T
    if (--this.callsLeft > 0) return work()
    const outcome: unknown = this.takesEffect ? work() : undefined
    if (this.takesEffect && !(outcome instanceof Promise)) return outcome as T
    this.isOver = true
    for (const last of this.lastWill) last()
    return never as T
  }
}
