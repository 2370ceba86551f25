import type { Clock, Timer } from './clock.js'

export interface RoundsOptions {
  clock: Clock
  /** From the end of one round to the beginning of the next, roughly where it is long; a function is asked before each pause. */
  pauseMs: number | (() => number)
  /** Told of a round that failed; the next one comes all the same. */
  onError: (error: unknown) => void
}

/**
 * Pauses of this length and longer end together, at its multiples on the process's clock: to be woken costs an idle process
 * more than a round does, and so it is woken once for rounds of all kinds.
 */
const togetherMs = 5_000

/** The pause that comes nearest to `pauseMs`. */
function untilTogether(clock: Clock, pauseMs: number): number {
  if (pauseMs < togetherMs) return pauseMs
  const nowMs = clock.monotonicMs()
  return Math.round((nowMs + pauseMs) / togetherMs) * togetherMs - nowMs
}

/** Does the same work again and again, one round at a time, until it is stopped. Keeps no process alive. */
export class Rounds {
  private timer: Timer | undefined
  private atHand: Promise<void> = Promise.resolve()
  private stopped = false

  constructor(
    private readonly work: () => Promise<unknown>,
    private readonly options: RoundsOptions,
  ) {}

  /** The first round comes after a pause, or at once where `now` is set: then this resolves when it has ended. */
  async start({ now = false } = {}): Promise<void> {
    if (now) this.run()
    else this.pause()
    await this.atHand
  }

  /** No round begins any more. Resolves when the one at hand has ended. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.atHand
  }

  private pause(): void {
    if (this.stopped) return
    const { clock, pauseMs } = this.options
    const wantedMs = typeof pauseMs === 'number' ? pauseMs : pauseMs()
    this.timer = clock.after(untilTogether(clock, wantedMs), () => this.run(), { background: true })
  }

  private run(): void {
    this.atHand = this.work()
      .then(() => undefined, this.options.onError)
      .finally(() => this.pause())
  }
}
