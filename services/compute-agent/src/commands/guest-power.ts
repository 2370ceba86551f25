import type { GuestNicSpecification } from '@nubo/contract'
import type { Guest } from '@nubo/hypervisor'
import { CloudError, type ServerId } from '@nubo/kernel'
import type { GuestRecord } from '../guests/guest-files.js'
import type { CommandTools } from './context.js'
import { CommandFailure } from './failure.js'
import { patiently } from './patience.js'
import { plugIn } from './plug-in.js'

/** How often a guest that still runs is asked again: one that was booting had nobody to hear it. Nova's retry interval. */
const askAgainMs = 10_000
const lookMs = 500

export function isOff(guest: Guest | undefined): boolean {
  return guest === undefined || guest.powerState === 'shutdown' || guest.powerState === 'crashed'
}

/** The record of the guest that a command is about. Throws CommandFailure if another incarnation of it is here, or none. */
export function recordFor(
  tools: CommandTools,
  { serverId, incarnation }: { serverId: ServerId; incarnation: number },
): GuestRecord {
  const record = tools.guests.find(serverId)
  if (!record) throw new CommandFailure('host', 'The host has no guest for this server.')
  if (record.incarnation !== incarnation) {
    throw new CommandFailure(
      record.incarnation > incarnation ? 'superseded' : 'host',
      `The host has incarnation ${record.incarnation} of this server, not ${incarnation}.`,
    )
  }
  return record
}

/** Notes that the guest is to have these interfaces, and no others, from its next start. */
export async function withNics(
  { guests }: CommandTools,
  record: GuestRecord,
  nics: GuestNicSpecification[],
): Promise<GuestRecord> {
  const changed = { ...record, nics }
  if (JSON.stringify(changed) !== JSON.stringify(record)) await guests.save(changed)
  return changed
}

/**
 * Defines the guest by its record and starts it, when its host has its ports in force; a guest that runs goes on as it is.
 */
export async function startByRecord(tools: CommandTools, record: GuestRecord, signal: AbortSignal): Promise<void> {
  const { hypervisor, guests, clock } = tools
  const serverId = record.serverId as ServerId
  try {
    await patiently(clock, signal, async () => {
      if (!isOff(await hypervisor.inspect(serverId))) return
      await hypervisor.define(guests.definition(record, await plugIn(tools, record.nics, signal)))
      await hypervisor.start(serverId)
    })
  } catch (error) {
    throw refusalOf(error)
  }
}

/** What a hypervisor refuses it will refuse again, as long as it has not changed. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof CloudError)) return error
  if (error.kind === 'Invalid') return new CommandFailure('request', error.message, { cause: error })
  if (error.kind === 'Conflict' || error.kind === 'NotFound') return new CommandFailure('host', error.message, { cause: error })
  return error
}

export async function powerOff(
  { hypervisor, clock }: Pick<CommandTools, 'hypervisor' | 'clock'>,
  serverId: ServerId,
  signal: AbortSignal,
): Promise<void> {
  await patiently(clock, signal, () => hypervisor.powerOff(serverId))
}

/**
 * Asks a guest by `ask`, again and again, until `obeyed`, or until it had `graceMs`.
 * @returns whether it obeyed.
 */
export async function askGuest(
  { hypervisor, clock }: CommandTools,
  { graceMs, ask, obeyed }: { graceMs: number; ask: () => Promise<void>; obeyed: () => Promise<boolean> },
  signal: AbortSignal,
): Promise<boolean> {
  const wake = wakeUps(hypervisor)
  const beganMs = clock.monotonicMs()
  try {
    for (let asked = 0; ;) {
      const passedMs = clock.monotonicMs() - beganMs
      if (await patiently(clock, signal, obeyed)) return true
      if (passedMs >= graceMs) return false
      if (passedMs >= asked * askAgainMs) {
        await patiently(clock, signal, ask)
        asked++
      }
      await wake.within(clock, Math.min(lookMs, graceMs - passedMs), signal)
    }
  } finally {
    wake.stop()
  }
}

/** Anything that happens on the host is reason to look again. */
function wakeUps(hypervisor: CommandTools['hypervisor']) {
  let happened = Promise.withResolvers<void>()
  const watch = hypervisor.watch(() => happened.resolve())
  return {
    stop: () => watch.stop(),
    async within(clock: CommandTools['clock'], milliseconds: number, signal: AbortSignal): Promise<void> {
      const late = new AbortController()
      const sleep = clock.sleep(milliseconds, AbortSignal.any([signal, late.signal]))
      await Promise.race([happened.promise, sleep]).finally(() => late.abort())
      sleep.catch(() => undefined)
      happened = Promise.withResolvers<void>()
    },
  }
}
