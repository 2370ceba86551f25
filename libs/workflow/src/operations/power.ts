import { operation, type OperationDefinition } from '../definition.js'
import { markActive, markStopped, standAsSeen } from './effects.js'

const noUndo = 'a guest that was started, stopped or rebooted cannot be put back to where it was'

/** What every power operation has in common: one step on the server's own host, and no other host can do it. */
const onItsHost = { deadlineMs: 5 * 60_000, maxAttempts: 1, failed: standAsSeen } satisfies Partial<OperationDefinition>

export const startServer = operation('server.start', {
  ...onItsHost,
  action: 'start',
  wanted: 'running',
  steps: { start: { by: 'start', taskState: 'powering-on', event: 'compute_start_instance', done: markActive, noUndo } },
})

export const stopServer = operation('server.stop', {
  ...onItsHost,
  action: 'stop',
  wanted: 'stopped',
  steps: { stop: { by: 'stop', taskState: 'powering-off', event: 'compute_stop_instance', done: markStopped, noUndo } },
})

export const rebootServer = operation('server.reboot', {
  ...onItsHost,
  action: 'reboot',
  wanted: 'running',
  steps: { reboot: { by: 'reboot', taskState: 'rebooting', event: 'compute_reboot_instance', done: markActive, noUndo } },
})

export const rebootServerHard = operation('server.reboot-hard', {
  ...onItsHost,
  action: 'reboot',
  wanted: 'running',
  steps: { reboot: { by: 'reboot', taskState: 'rebooting_hard', event: 'compute_reboot_instance', done: markActive, noUndo } },
})
