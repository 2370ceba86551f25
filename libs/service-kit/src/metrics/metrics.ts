import { Inject, Injectable } from '@nestjs/common'
import type { Clock } from '@nubo/kernel'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Logger } from '../logger.js'
import { CLOCK, LOGGER } from '../tokens.js'

/** Whoever collects figures waits ten seconds for all of them, or takes the process for dead. */
const surveyWithinMs = 3_000
/** What was found out for one look is good for the next ones within this time, however many look. */
const freshMs = 5_000
/** Of the process's own figures: each look at the event loop's delay is a timer of the process. */
const eventLoopPrecisionMs = 100

/** Gauges with the names of counters, of which promtool complains; the same figures are told by their kinds. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

interface Description<Label extends string> {
  name: string
  help: string
  labels?: readonly Label[]
}

/** Sets gauges that are worth asking for only when somebody looks. */
export type Survey = () => void | Promise<void>

/**
 * The figures of this process, in Prometheus' words. What is counted as it happens is a counter or a histogram; what has to
 * be asked for is set by a survey, which runs only when somebody looks, and seldom. A process that nobody looks at pays for
 * its counters alone.
 */
@Injectable()
export class Metrics {
  private readonly registry = new Registry()
  private readonly surveys = new Map<string, Survey>()
  /** Those that were given up, and are not through with it. */
  private readonly late = new Set<string>()
  private readonly failures: Counter<'survey'>
  private surveyed: Promise<void> | undefined
  private surveyedAtMs = -Infinity
  private hasProcessFigures = false

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.failures = this.counter({
      name: 'nubo_survey_failures_total',
      help: 'Figures that could not be found out, by what was to be surveyed',
      labels: ['survey'],
    })
  }

  readonly contentType = this.registry.contentType

  counter<Label extends string = never>(description: Description<Label>): Counter<Label> {
    return new Counter(this.definition(description))
  }

  gauge<Label extends string = never>(description: Description<Label>): Gauge<Label> {
    return new Gauge(this.definition(description))
  }

  histogram<Label extends string = never>(description: Description<Label> & { bounds: number[] }): Histogram<Label> {
    return new Histogram({ ...this.definition(description), buckets: description.bounds })
  }

  /** `survey` runs before the figures are told, at most once in some seconds. One that fails, or is late, leaves its gauges empty. */
  beforeTelling(name: string, survey: Survey): void {
    this.surveys.set(name, survey)
  }

  /** All figures, in Prometheus' text format. */
  async text(): Promise<string> {
    this.addProcessFigures()
    if (!this.surveyed || this.clock.monotonicMs() - this.surveyedAtMs >= freshMs) {
      this.surveyedAtMs = this.clock.monotonicMs()
      this.surveyed = this.survey()
    }
    await this.surveyed
    return await this.registry.metrics()
  }

  private async survey(): Promise<void> {
    const run = async ([name, survey]: [string, Survey]) => {
      try {
        await this.inTime(name, survey)
      } catch (error) {
        this.failures.inc({ survey: name })
        this.logger.warn({ err: error, survey: name }, 'figures could not be found out')
      }
    }
    await Promise.all([...this.surveys].map(run))
  }

  /** One that hangs is not begun again until it is through: a database that keeps silent is not asked ever more. */
  private async inTime(name: string, survey: Survey): Promise<void> {
    if (this.late.has(name)) throw new Error('the last look is still waiting for its answer')
    const enough = new AbortController()
    const surveyed = (async () => survey())()
    const tooLate = async () => {
      await this.clock.sleep(surveyWithinMs, enough.signal)
      this.late.add(name)
      throw new Error(`no answer within ${surveyWithinMs} ms`)
    }
    void surveyed.catch(() => undefined).finally(() => this.late.delete(name))
    await Promise.race([surveyed, tooLate()]).finally(() => enough.abort())
  }

  /** Memory, processor, event loop, garbage collection. */
  private addProcessFigures(): void {
    if (this.hasProcessFigures) return
    this.hasProcessFigures = true
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: eventLoopPrecisionMs })
    for (const name of misnamed) this.registry.removeSingleMetric(name)
  }

  private definition<Label extends string>({ name, help, labels }: Description<Label>) {
    return { name, help, labelNames: labels ?? [], registers: [this.registry] }
  }
}
