/** A timer that can be called off. */
export interface LibvirtTimer {
  cancel(): void
}

/** All time that this library spends or measures comes through here, so that a test or a simulation can own it. */
export interface LibvirtClock {
  /** Milliseconds that only ever grow, from an arbitrary start. */
  monotonicMs(): number
  /** Runs `action` once after `delayMs`. A timer with `background` does not keep the process alive. */
  after(delayMs: number, action: () => void, options?: { background?: boolean }): LibvirtTimer
}

export const systemClock: LibvirtClock = {
  monotonicMs: () => performance.now(),
  after(delayMs, action, options) {
    // Node runs a timer of more than 2^31-1 ms (25 days) at once; a deadline of `Infinity` is none.
    const handle = setTimeout(action, Math.min(delayMs, 2 ** 31 - 1))
    if (options?.background) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}
