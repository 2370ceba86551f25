import type { Readable } from 'node:stream'
import type { Clock } from '@nubo/kernel'

/** How long a client whose upload was refused may go on sending before its connection is cut. */
const drainForMs = 30_000

/**
 * Reads on, to nowhere: most clients read no answer before they have sent everything, and see a broken connection instead of
 * a refusal where they are cut off.
 */
export function drain(body: Readable, clock: Clock): void {
  if (body.destroyed || body.readableEnded) return
  const timer = clock.after(drainForMs, () => body.destroy(), { background: true })
  body.once('close', () => timer.cancel())
  body.on('error', () => undefined)
  body.resume()
}
