import { controlPlaneServices } from '@nubo/deploy/installation'
import type { Fault } from './fault.js'

/** The machine of the control plane falls: our services, Redis and PostgreSQL end in the same moment, and come back in any order. */
export const killEverything: Fault = {
  name: 'kill the whole control plane',
  targets: ['control plane'],
  weight: 1,
  async inject(world) {
    await Promise.all([...controlPlaneServices, 'redis', 'postgres'].map((name) => world.kill(name)))
    return { did: 'the whole control plane killed' }
  },
}
