import type { Clock } from '@nubo/kernel'

/** A guest's boot asks some sixty times in a moment; what goes on like that is held back. */
const atOnce = 200
const perSecond = 20

/** How much each caller may ask: so many at once, and so many a second in the long run. */
export class Allowances {
  private readonly spent = new Map<string, { left: number; atMs: number }>()

  constructor(private readonly clock: Clock) {}

  /** True if the caller may ask now; that is then counted. */
  take(caller: string): boolean {
    const now = this.clock.monotonicMs()
    const { left, atMs } = this.spent.get(caller) ?? { left: atOnce, atMs: now }
    const grown = Math.min(atOnce, left + ((now - atMs) / 1_000) * perSecond)
    this.spent.set(caller, { left: grown >= 1 ? grown - 1 : grown, atMs: now })
    return grown >= 1
  }

  /** Forgets all but these. */
  keep(callers: ReadonlySet<string>): void {
    for (const caller of this.spent.keys()) if (!callers.has(caller)) this.spent.delete(caller)
  }
}
