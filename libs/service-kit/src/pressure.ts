import { Inject, Injectable } from '@nestjs/common'
import { CloudError } from '@nubo/kernel'
import { Metrics } from './metrics/metrics.js'

/** Why no more work can be taken on for the moment. */
export interface Strain {
  /** One of a few, for figures: 'database'. */
  code: string
  /** For an operator. */
  words: string
}

/** Undefined where there is room for more. Asked with every request that adds work: it answers from what it knows. */
export type StrainGauge = () => Strain | undefined

const retryAfterSeconds = 5

/**
 * Whether this service takes on more work. Requests that add some are refused while there is too much, before anything is
 * written; those that read, or take work off, go on.
 */
@Injectable()
export class Pressure {
  private readonly gauges: StrainGauge[] = []
  private readonly refusals

  constructor(@Inject(Metrics) metrics: Metrics) {
    this.refusals = metrics.counter({
      name: 'nubo_requests_refused_total',
      help: 'Requests that were refused with 503 and Retry-After because there was too much to do, by why',
      labels: ['reason'],
    })
  }

  watch(gauge: StrainGauge): void {
    this.gauges.push(gauge)
  }

  /** What is too much at the moment. */
  get strain(): Strain | undefined {
    for (const gauge of this.gauges) {
      const strain = gauge()
      if (strain) return strain
    }
    return undefined
  }

  /** Throws `Unavailable` where no more work is taken on. */
  assertRoom(): void {
    const { strain } = this
    if (strain) throw this.refuse(strain)
  }

  /** The error of a request that is one too many. Tenants need not know of what. */
  refuse({ code, words }: Strain): CloudError {
    this.noteRefusal(code)
    return new CloudError('Unavailable', 'The cloud has too much to do at the moment to take on more. Try again shortly.', {
      details: { retryAfterSeconds },
      cause: words,
    })
  }

  /** Counts a request that is refused with 503. */
  noteRefusal(reason: string): void {
    this.refusals.inc({ reason })
  }
}
