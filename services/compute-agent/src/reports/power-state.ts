import type { PowerStateCode } from '@nubo/contract'
import type { PowerState } from '@nubo/hypervisor'
import { powerStates } from '../commands/context.js'

/** Nova's code for a guest's state; `none` for one of which nothing is known. */
export function powerStateCode(state: PowerState | undefined): PowerStateCode {
  return state === undefined || state === 'unknown' ? powerStates.none : powerStates[state]
}
