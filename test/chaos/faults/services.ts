import { controlPlaneServices } from '@nubo/deploy/installation'
import type { Fault } from './fault.js'
import { pause } from './pause.js'

/** The supervisor starts it again, as in production. */
export const killService: Fault = {
  name: 'kill a service',
  targets: controlPlaneServices,
  weight: 4,
  async inject(world, target) {
    return { did: (await world.kill(target)) ? `${target} killed` : `${target} was down already` }
  },
}

export const pauseService: Fault = {
  name: 'pause a service',
  targets: controlPlaneServices,
  weight: 3,
  lastsMs: [5_000, 60_000],
  inject: async (world, target) => pause(target, await world.process(target)),
}
