import { Inject, Module } from '@nestjs/common'
import { DATABASE } from '@nubo/control-plane'
import { readWorkLeft, type Database } from '@nubo/database'
import type { Clock } from '@nubo/kernel'
import { CLOCK, CONFIGURATION, LOGGER, Pressure, type Logger, type Strain } from '@nubo/service-kit'
import type { ApiConfiguration } from '../configuration.js'
import { WorkLeftGauge } from './work-left.js'

/** Keeps the api from taking on more than the cloud can do: see docs/decisions on backpressure. */
@Module({})
export class OverloadModule {
  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
    @Inject(CONFIGURATION) { takeOnUntil }: ApiConfiguration,
    pressure: Pressure,
  ) {
    const onChange = (strain: Strain | undefined) => {
      if (strain) logger.warn({ reason: strain.words }, 'no more work is taken on')
      else logger.info('work is taken on again')
    }
    const read = () => readWorkLeft(database)
    const gauge = new WorkLeftGauge({ read, poolUse: () => database.use, clock, limits: takeOnUntil, onChange })
    pressure.watch(() => gauge.strain())
  }
}
