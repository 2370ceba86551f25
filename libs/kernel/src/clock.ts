/** A timer that can be called off. */
export interface Timer {
  cancel(): void
}

/** Time comes in through this door only, so that a whole cloud can run on virtual time. */
export interface Clock {
  /** Wall-clock time. For showing and logging; PostgreSQL's clock alone judges deadlines and leases. */
  now(): Date
  /** Milliseconds that only ever grow: for measuring and for timeouts. */
  monotonicMs(): number
  /** Runs `action` once after `delayMs`. A pending timer keeps the process alive unless `background` is set. */
  after(delayMs: number, action: () => void, options?: { background?: boolean }): Timer
  /** Resolves after `delayMs`, or rejects with the signal's reason. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  after(delayMs, action, options) {
    const handle = setTimeout(action, delayMs)
    if (options?.background) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        clearTimeout(handle)
        reject(signal!.reason)
      }
      const handle = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, delayMs)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  },
}
