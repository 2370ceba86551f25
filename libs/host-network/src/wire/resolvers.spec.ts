import { expect, it } from '@jest/globals'
import { testSettings } from '../testing/plans.js'
import { servedNetwork, subnetOf } from '../testing/served-networks.js'
import { programOf } from '../program-of.js'
import { planOf } from '../testing/served-networks.js'
import { resolverPorts, upstreamOf } from './resolvers.js'

const askers = Array.from({ length: 1_100 }, (_, index) =>
  servedNetwork(index + 1, { subnets: [subnetOf({ dnsNameservers: [`9.${index >> 8}.${index & 255}.9`] })] }),
)

it('asks the nameservers of so many networks and no more; the others ask those of the host', () => {
  const ports = resolverPorts(askers, testSettings)
  expect(askers.filter((network) => ports.get(upstreamOf(network)) === testSettings.resolverPort)).toHaveLength(100)
  expect(new Set(ports.values()).size).toBe(1_001)
  const program = programOf(planOf(askers, []), testSettings)
  expect(program.troubles).toEqual([])
  expect([...program.processes.keys()].filter((name) => name.startsWith('resolver-'))).toHaveLength(1_001)
})
