import type { Result } from '@nubo/contract'
import type { Finding } from '@nubo/database'
import type { Metrics } from '@nubo/service-kit'
import type { Caster, Located } from '@nubo/workflow'

/** Counts how commands ended, by the step that they were of. */
export function resultFigures(metrics: Metrics) {
  const results = metrics.counter({
    name: 'nubo_results_total',
    help: 'How commands ended on their hosts. Outcome: done, what a failure calls for (request, host, superseded), or stale',
    labels: ['step', 'direction', 'outcome'],
  })
  return ({ outcome }: Result, of: Located | undefined) => {
    if (!of) return results.inc({ step: 'none', direction: 'none', outcome: 'stale' })
    const { name, direction } = of.step
    results.inc({ step: name, direction, outcome: outcome.state === 'done' ? 'done' : outcome.failure.scope })
  }
}

/** Counts what the sweeper casts again. */
export function countingSweeps(metrics: Metrics, caster: Caster): Pick<Caster, 'cast'> {
  const again = metrics.counter({
    name: 'nubo_hints_cast_again_total',
    help: 'Open steps that nobody took, cast again by the sweeper',
  })
  return {
    cast: async (ids) => {
      again.inc(ids.length)
      await caster.cast(ids)
    },
  }
}

/** Counts what the last look at the whole cloud found. The conductor that had the turn tells it; the others tell of nothing. */
export function findingFigures(metrics: Metrics) {
  const broken = metrics.gauge({
    name: 'nubo_findings',
    help: 'What is not as promised, by the promise and the kind of finding, as the last look at the whole cloud found it',
    labels: ['promise', 'code'],
  })
  return (findings: readonly Finding[]) => {
    broken.reset()
    for (const { promise, code } of findings) broken.inc({ promise: String(promise), code })
  }
}
