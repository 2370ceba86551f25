import { operation } from '../definition.js'
import { markActive, markError, releasePorts, releaseRoom } from './effects.js'

/** Places a server on a host and makes its guest there; other hosts are tried before it becomes ERROR. */
export const createServer = operation('server.create', {
  action: 'create',
  wanted: 'running',
  deadlineMs: 15 * 60_000,
  maxAttempts: 3,
  steps: {
    place: {
      by: 'scheduler',
      taskState: 'scheduling',
      event: 'conductor_schedule_and_build_instances',
      undo: { done: releaseRoom },
    },
    build: {
      by: 'build',
      taskState: 'spawning',
      event: 'compute__do_build_and_run_instance',
      done: markActive,
      // The room is freed by the undo of `place`, once the host has confirmed that nothing is left.
      undo: { by: 'destroy', done: async () => undefined },
    },
  },
  failed: async (...failed) => {
    await releasePorts(...failed)
    await markError(...failed)
  },
})
