import { controlPlaneServices, signal } from '@nubo/deploy/installation'
import type { Fault } from './fault.js'

/** The machine of the control plane falls: our services, Redis and PostgreSQL end in the same moment, and come back in any order. */
export const killEverything: Fault = {
  name: 'kill the whole control plane',
  targets: ['control plane'],
  weight: 1,
  async inject(world) {
    const names = [...controlPlaneServices, 'redis', 'postgres']
    const processes = await Promise.all(names.map((name) => world.process(name)))
    for (const process of processes) if (process) signal(process, 'SIGKILL')
    return { did: 'the whole control plane killed' }
  },
}
