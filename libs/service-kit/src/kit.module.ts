import { Global, Module, type DynamicModule } from '@nestjs/common'
import type { Clock, Random } from '@nubo/kernel'
import { Health } from './health.js'
import { Metrics } from './metrics/metrics.js'
import { Pressure } from './pressure.js'
import type { Logger } from './logger.js'
import { CLOCK, CONFIGURATION, LOGGER, RANDOM } from './tokens.js'

export interface KitParts {
  configuration: unknown
  logger: Logger
  clock: Clock
  random: Random
}

/** What every module may ask for: configuration, log, time, chance, health and figures. */
@Global()
@Module({})
export class KitModule {
  static with({ configuration, logger, clock, random }: KitParts): DynamicModule {
    return {
      module: KitModule,
      providers: [
        { provide: CONFIGURATION, useValue: configuration },
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: clock },
        { provide: RANDOM, useValue: random },
        Metrics,
        Pressure,
        Health,
      ],
      exports: [CONFIGURATION, LOGGER, CLOCK, RANDOM, Metrics, Pressure, Health],
    }
  }
}
