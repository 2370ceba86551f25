import type { Call, Interference } from './door.js'
import type { Trial, Undisturbed } from './trial.js'

/** Interferes with the call that is the `index`th of those like it, and with no other. */
export function atCall(
  isLike: (call: Call) => boolean,
  index: number,
  interference: Interference,
): (call: Call) => Interference | undefined {
  let seen = 0
  return (call) => (isLike(call) && seen++ === index ? interference : undefined)
}

/**
 * Each process killed before each call that it makes to the world, and after its last: between two calls nothing of it is
 * to be seen from outside. What goes wrong besides is set up by `under`.
 */
export function kills({ calls, outcome: comesTo }: Undisturbed, under: Pick<Trial, 'setUp'> = {}): Trial[] {
  const processes = [...new Set(calls.map((call) => call.process))]
  return processes.flatMap((process) => {
    const made = calls.filter((call) => call.process === process)
    const labels = [...made.map((call) => call.label), 'whatever comes next']
    return labels.map((label, index) => ({
      name: `the ${process} is killed before call ${index + 1}, ${label}`,
      setUp: (world) => {
        under.setUp?.(world)
        world.interfere = atCall((call) => call.process === process, index, 'kill')
      },
      comesTo,
    }))
  })
}
