import { describe, expect, it } from '@jest/globals'
import {
  powerStates,
  reactionToDrift,
  statusFilter,
  statusOf,
  type DriftReaction,
  type PowerState,
  type TaskState,
  type VmState,
} from './server-states.js'

describe('statusOf', () => {
  it.each<[VmState, TaskState | null, string]>([
    ['active', null, 'ACTIVE'],
    ['active', 'powering-off', 'ACTIVE'],
    ['active', 'deleting', 'ACTIVE'],
    ['active', 'rebooting', 'REBOOT'],
    ['active', 'reboot_started', 'REBOOT'],
    ['active', 'rebooting_hard', 'HARD_REBOOT'],
    ['active', 'reboot_pending_hard', 'HARD_REBOOT'],
    ['active', 'updating_password', 'PASSWORD'],
    ['active', 'migrating', 'MIGRATING'],
    ['active', 'resize_prep', 'RESIZE'],
    ['active', 'rebuild_spawning', 'REBUILD'],
    ['building', null, 'BUILD'],
    ['building', 'scheduling', 'BUILD'],
    ['building', 'spawning', 'BUILD'],
    ['stopped', null, 'SHUTOFF'],
    ['stopped', 'powering-on', 'SHUTOFF'],
    ['stopped', 'rebooting_hard', 'SHUTOFF'],
    ['stopped', 'migrating', 'SHUTOFF'],
    ['stopped', 'resize_migrated', 'RESIZE'],
    ['stopped', 'rebuilding', 'REBUILD'],
    ['paused', null, 'PAUSED'],
    ['paused', 'migrating', 'MIGRATING'],
    ['suspended', 'resuming', 'SUSPENDED'],
    ['rescued', null, 'RESCUE'],
    ['resized', null, 'VERIFY_RESIZE'],
    ['resized', 'resize_confirming', 'VERIFY_RESIZE'],
    ['resized', 'resize_reverting', 'REVERT_RESIZE'],
    ['error', null, 'ERROR'],
    ['error', 'rebuilding', 'REBUILD'],
    ['error', 'rebooting_hard', 'ERROR'],
    ['deleted', null, 'DELETED'],
    ['soft-delete', null, 'SOFT_DELETED'],
    ['shelved', 'unshelving', 'SHELVED'],
    ['shelved_offloaded', null, 'SHELVED_OFFLOADED'],
  ])('shows %s and %s as %s', (vmState, taskState, status) => {
    expect(statusOf(vmState, taskState)).toBe(status)
  })
})

describe('statusFilter', () => {
  it('finds a vm_state whatever is being done', () => {
    expect(statusFilter(['SHUTOFF'])).toEqual({ vmStates: ['stopped'] })
    expect(statusFilter(['active'])).toEqual({ vmStates: ['active'] })
  })

  it('finds what shows only while something is being done', () => {
    expect(statusFilter(['Reboot'])).toEqual({
      vmStates: ['active'],
      taskStates: ['rebooting', 'reboot_pending', 'reboot_started'],
    })
    expect(statusFilter(['MIGRATING'])).toEqual({ vmStates: ['active', 'paused'], taskStates: ['migrating'] })
  })

  it('takes several together', () => {
    expect(statusFilter(['BUILD', 'ERROR'])).toEqual({ vmStates: ['building', 'error'] })
    expect(statusFilter(['REBOOT', 'ERROR', 'nonsense'])).toEqual({ vmStates: ['active', 'error'] })
  })

  it.each([[[]], [['nonsense']], [['otherwise']], [['UNKNOWN']]])('finds nothing for %j', (statuses) => {
    expect(statusFilter(statuses)).toBeUndefined()
  })
})

describe('reactionToDrift', () => {
  const { noState, running, paused, shutdown, crashed, suspended } = powerStates

  it.each<[VmState, PowerState, boolean, DriftReaction]>([
    ['active', running, false, 'none'],
    ['active', shutdown, false, 'settle'],
    ['active', crashed, false, 'settle'],
    ['active', suspended, false, 'settle'],
    ['active', paused, false, 'none'],
    ['active', noState, false, 'none'],
    ['active', shutdown, true, 'start'],
    ['active', crashed, true, 'start'],
    ['active', noState, true, 'start'],
    ['active', running, true, 'none'],
    ['stopped', running, false, 'stop'],
    ['stopped', paused, false, 'stop'],
    ['stopped', shutdown, false, 'none'],
    ['stopped', shutdown, true, 'none'],
    ['stopped', noState, true, 'none'],
    ['paused', shutdown, false, 'settle'],
    ['paused', running, false, 'none'],
    ['building', running, false, 'none'],
    ['error', shutdown, true, 'none'],
    ['deleted', running, false, 'none'],
  ])('of %s, seen as %d, host restarted: %s, is %s', (vmState, seen, hostRestarted, reaction) => {
    expect(reactionToDrift({ vmState, taskState: null }, seen, hostRestarted)).toBe(reaction)
  })

  it('is none while something is being done', () => {
    expect(reactionToDrift({ vmState: 'active', taskState: 'powering-off' }, shutdown, false)).toBe('none')
    expect(reactionToDrift({ vmState: 'stopped', taskState: 'powering-on' }, running, true)).toBe('none')
  })
})
