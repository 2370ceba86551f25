import type { Cloud } from '../support/cloud.js'
import type { Figure } from './figures.js'
import { footprints, type Footprint } from './footprint.js'
import { programsOf } from './processor-time.js'
import { settle } from './stage.js'

const idleSeconds = 20

const total = (each: readonly Footprint[], key: 'pssMiB' | 'cpuPercent') => each.reduce((sum, one) => sum + one[key], 0)

/** The control plane with nothing to do, process by process; agents apart. */
export async function benchIdle(cloud: Cloud): Promise<Figure[]> {
  await settle()
  const each = await footprints(programsOf(cloud), idleSeconds)
  const isAgent = ({ name }: Footprint) => name.startsWith('agent-')
  const controlPlane = each.filter((one) => !isAgent(one))
  return [
    { name: 'memory together', value: total(controlPlane, 'pssMiB'), unit: 'MiB', aim: { atMost: 600 }, openStack: 2_300 },
    { name: 'CPU together', value: total(controlPlane, 'cpuPercent'), unit: '% of a core', aim: { atMost: 1 }, openStack: 3 },
    ...controlPlane.flatMap(rows),
    ...each.filter(isAgent).flatMap(rows),
  ]
}

function rows({ name, pssMiB, cpuPercent }: Footprint): Figure[] {
  return [
    { name: `  ${name}, memory`, value: pssMiB, unit: 'MiB' },
    { name: `  ${name}, CPU`, value: cpuPercent, unit: '% of a core' },
  ]
}
