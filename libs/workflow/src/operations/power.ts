import { operation } from '../definition.js'
import { leaveAsItWas, markActive, markStopped } from './effects.js'

// None of these has an undo: a guest that was started, stopped or rebooted cannot be put back to where it was.

export const startServer = operation('server.start', {
  action: 'start',
  deadlineMs: 5 * 60_000,
  maxAttempts: 1,
  steps: { start: { by: 'start', taskState: 'powering-on', event: 'compute_start_instance', done: markActive } },
  failed: leaveAsItWas,
})

export const stopServer = operation('server.stop', {
  action: 'stop',
  deadlineMs: 5 * 60_000,
  maxAttempts: 1,
  steps: { stop: { by: 'stop', taskState: 'powering-off', event: 'compute_stop_instance', done: markStopped } },
  failed: leaveAsItWas,
})

export const rebootServer = operation('server.reboot', {
  action: 'reboot',
  deadlineMs: 5 * 60_000,
  maxAttempts: 1,
  steps: { reboot: { by: 'reboot', taskState: 'rebooting', event: 'compute_reboot_instance', done: markActive } },
  failed: leaveAsItWas,
})

export const rebootServerHard = operation('server.reboot-hard', {
  action: 'reboot',
  deadlineMs: 5 * 60_000,
  maxAttempts: 1,
  steps: { reboot: { by: 'reboot', taskState: 'rebooting_hard', event: 'compute_reboot_instance', done: markActive } },
  failed: leaveAsItWas,
})
