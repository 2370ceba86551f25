import type { PortId, SecurityGroupId } from '@nubo/kernel'
import { tapName } from '../names.js'
import type { RulePlan } from '../plan.js'

type Direction = RulePlan['direction']

/** Who a port may say that it is. */
export const guardChain = (portId: PortId) => `guard_${tapName(portId)}`
/** What may come from a port (egress), or go to it (ingress). */
export const portChain = (direction: Direction, portId: PortId) => `${direction}_${tapName(portId)}`
export const groupChain = (direction: Direction, groupId: SecurityGroupId) => `${direction}_${groupId.replaceAll('-', '')}`
/** The addresses of a group's members. */
export const membersSet = (family: 4 | 6, groupId: SecurityGroupId) => `members${family}_${groupId.replaceAll('-', '')}`
