import type { ProgramBuilder } from './engine/program.js'
import type { HostPlan } from './plan.js'
import type { HostSettings } from './settings.js'

/**
 * Says what one concern (links, DHCP, groups, routers) needs on the host, in pieces as small as what changes alone. Pure: the
 * same plan gives the same program.
 */
export type Part = (plan: HostPlan, settings: HostSettings, program: ProgramBuilder) => void
