import { signal } from '@nubo/deploy/installation'
import { controlPlaneServices } from '@nubo/deploy/installation'
import type { Fault } from './fault.js'
import { pause } from './pause.js'

/** The supervisor starts it again, as in production. */
export const killService: Fault = {
  name: 'kill a service',
  targets: controlPlaneServices,
  weight: 4,
  async inject(world, target) {
    const process = await world.process(target)
    if (!process) return { did: `${target} was down already` }
    signal(process, 'SIGKILL')
    return { did: `${target} killed` }
  },
}

export const pauseService: Fault = {
  name: 'pause a service',
  targets: controlPlaneServices,
  weight: 3,
  lastsMs: [5_000, 60_000],
  inject: async (world, target) => pause(target, await world.process(target)),
}
