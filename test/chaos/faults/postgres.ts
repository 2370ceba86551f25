import type { Fault } from './fault.js'
import { pause } from './pause.js'

const targets = ['postgres']

/** The postmaster alone: its sessions notice and end, as after a real crash, and the next one recovers from the log. */
export const killPostgres: Fault = {
  name: 'kill PostgreSQL',
  targets,
  weight: 2,
  async inject(world) {
    return { did: (await world.kill('postgres')) ? 'postgres killed' : 'postgres was down already' }
  },
}

export const restartPostgres: Fault = {
  name: 'restart PostgreSQL',
  targets,
  weight: 2,
  async inject(world) {
    await world.cloud.supervisor.ask({ verb: 'restart', name: 'postgres' })
    return { did: 'postgres restarted in order' }
  },
}

export const pausePostgres: Fault = {
  name: 'pause PostgreSQL',
  targets,
  weight: 1,
  lastsMs: [5_000, 60_000],
  inject: async (world) => pause('postgres and its sessions', await world.process('postgres')),
}
