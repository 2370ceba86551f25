import { systemClock, type Clock } from '../clock.js'

const hurry = 10
/** What comes more seldom is left as it is: it mends what tests break, and they look at what is broken first. */
const longestRoundMs = 8_000

/**
 * The system's clock, by which whatever comes again every few seconds in the background comes ten times as often: a test that
 * waits for a round waits for tenths of seconds. Time-outs stay as long as they are.
 */
export const hurriedClock: Clock = {
  ...systemClock,
  after(delayMs, action, options) {
    const isRound = options?.background === true && delayMs <= longestRoundMs
    return systemClock.after(isRound ? delayMs / hurry : delayMs, action, options)
  },
}
