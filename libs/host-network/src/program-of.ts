import { ProgramBuilder, type Program } from './engine/program.js'
import { securityGroups } from './groups/part.js'
import { metadataWay } from './metadata/way.js'
import type { Part } from './part.js'
import type { HostPlan } from './plan.js'
import { routers } from './routers/part.js'
import type { HostSettings } from './settings.js'
import { dhcp } from './wire/dhcp.js'
import { resolvers } from './wire/resolvers.js'
import { segments } from './wire/segments.js'
import { serviceLinks } from './wire/service-link.js'
import { underlay } from './wire/underlay.js'

/** Every concern of a host's networks. */
const parts: readonly Part[] = [segments, underlay, serviceLinks, resolvers, dhcp, securityGroups, routers, metadataWay]

/**
 * All that is to be on the host for this plan.
 * @param before of an earlier plan: what is as it was there is not worked out again.
 */
export function programOf(plan: HostPlan, settings: HostSettings, before?: Program): Program {
  const program = new ProgramBuilder(before)
  for (const part of parts) part(plan, settings, program)
  return program.program
}
