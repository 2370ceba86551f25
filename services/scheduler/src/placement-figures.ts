import type { Decision } from '@nubo/domain'
import type { Metrics } from '@nubo/service-kit'

/** Told how placements go. */
export interface PlacementObserver {
  /** Room was claimed on a host. */
  claimed(): void
  /** The host that was chosen no longer had the room: the next one is tried. */
  lost(): void
  /** No host takes the server. */
  refused(decision: Decision): void
  /** So many wait because no host can be heard. */
  deaf(waiting: number): void
}

export function placementFigures(metrics: Metrics): PlacementObserver {
  const outcomes = metrics.counter({
    name: 'nubo_placements_total',
    help: 'Claimed: a server got room. Lost: another was faster on that host. Refused: no host takes it. Deaf: no host was heard',
    labels: ['outcome'],
  })
  const rules = metrics.counter({
    name: 'nubo_placement_refusals_total',
    help: 'Servers that no host takes, by each rule that refused a host for them; rule none: there are no hosts',
    labels: ['rule'],
  })
  return {
    claimed: () => outcomes.inc({ outcome: 'claimed' }),
    lost: () => outcomes.inc({ outcome: 'lost' }),
    deaf: (waiting) => outcomes.inc({ outcome: 'deaf' }, waiting),
    refused: ({ refusals }) => {
      outcomes.inc({ outcome: 'refused' })
      if (refusals.length === 0) rules.inc({ rule: 'none' })
      for (const { rule } of refusals) rules.inc({ rule })
    },
  }
}
