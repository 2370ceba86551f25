import { Inject, Injectable } from '@nestjs/common'
import type { Clock } from '@nubo/kernel'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Logger } from '../logger.js'
import { CLOCK, LOGGER } from '../tokens.js'

/** What was found out for one look is good for the next ones within this time, however many look. */
const freshMs = 5_000
/** Of the process's own figures: each look at the event loop's delay is a timer of the process. */
const eventLoopPrecisionMs = 100

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

  /** `survey` runs before the figures are told, at most once in some seconds. One that fails leaves its gauges empty. */
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
        await survey()
      } catch (error) {
        this.failures.inc({ survey: name })
        this.logger.warn({ err: error, survey: name }, 'figures could not be found out')
      }
    }
    await Promise.all([...this.surveys].map(run))
  }

  /** Memory, processor, event loop, garbage collection. */
  private addProcessFigures(): void {
    if (this.hasProcessFigures) return
    this.hasProcessFigures = true
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: eventLoopPrecisionMs })
  }

  private definition<Label extends string>({ name, help, labels }: Description<Label>) {
    return { name, help, labelNames: labels ?? [], registers: [this.registry] }
  }
}
