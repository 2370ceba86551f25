import { deviceOwners } from '@nubo/domain'
import { newId, type PortId, type Random } from '@nubo/kernel'
import type { Transaction } from '../connection.js'
import { allocateAddresses } from './address-allocation.js'
import { createPorts } from './create-ports.js'
import { holdForHosts } from './held-by-hosts.js'
import { deletePorts } from './release-ports.js'

interface ServicePort {
  id: PortId
  mac: string
  /** The subnet is null once it is gone. */
  held: { subnetId: string | null; address: string }[]
}

interface NetworkState {
  projectId: string
  port: ServicePort | null
  /** Its subnets with DHCP, oldest first. */
  subnetIds: string[]
}

/** Whoever settles the same network at the same time waits. */
const lockNetwork = 'SELECT project_id AS "projectId" FROM networks WHERE id = $1 FOR NO KEY UPDATE'

const readState = `
  SELECT ARRAY(SELECT id FROM subnets WHERE network_id = $1 AND dhcp ORDER BY created_at, id) AS "subnetIds",
    (SELECT jsonb_build_object('id', p.id, 'mac', p.mac, 'held', COALESCE(
        (SELECT jsonb_agg(jsonb_build_object('subnetId', a.subnet_id, 'address', host(a.address)) ORDER BY a.position)
         FROM port_addresses a WHERE a.port_id = p.id), '[]'))
     FROM ports p WHERE p.network_id = $1 AND p.device_owner = '${deviceOwners.dhcp}' AND p.gone_at IS NULL LIMIT 1) AS port`

/**
 * A network with DHCP has one port that its DHCP, DNS and metadata answer from, on every host that carries the network. This
 * makes it with the first subnet that has DHCP, gives it an address of each, and deletes it with the last. What it gives up stays
 * held until those hosts have applied a plan without it. To be called in the transaction in which subnets were made, changed or
 * deleted. Throws as `createPorts` does.
 */
export async function settleServicePort(tx: Transaction, networkId: string, random: Random): Promise<void> {
  const [network] = await tx.query<{ projectId: string }>(lockNetwork, [networkId])
  if (!network) return
  const [state] = await tx.query<Omit<NetworkState, 'projectId'>>(readState, [networkId])
  const { port, subnetIds } = state!
  if (!port && subnetIds.length > 0) await makePort(tx, networkId, { projectId: network.projectId, subnetIds }, random)
  if (port && subnetIds.length > 0) await readdress(tx, networkId, port, subnetIds, random)
  if (port && subnetIds.length === 0) await deletePorts(tx, [port.id])
  const givenUp = port?.held.filter(({ subnetId }) => subnetId === null || !subnetIds.includes(subnetId)) ?? []
  await holdForHosts(tx, { networkId, projectId: network.projectId, deviceOwner: deviceOwners.dhcp, addresses: givenUp }, random)
}

async function makePort(
  tx: Transaction,
  networkId: string,
  { projectId, subnetIds }: Omit<NetworkState, 'port'>,
  random: Random,
): Promise<void> {
  const id = newId<PortId>(random)
  const port = {
    id,
    networkId,
    projectId,
    deviceId: `dhcp-${networkId}`,
    deviceOwner: deviceOwners.dhcp,
    portSecurityEnabled: false,
    wanted: subnetIds.map((subnetId) => ({ subnetId })),
  }
  await createPorts(tx, [port], random)
  // It is everywhere, and waits for no host.
  await tx.execute(`UPDATE ports SET status = 'ACTIVE' WHERE id = $1`, [id])
}

/** The addresses that it keeps are given again with the new ones, in the transaction in which they are taken away. */
async function readdress(
  tx: Transaction,
  networkId: string,
  { id, mac, held }: ServicePort,
  subnetIds: readonly string[],
  random: Random,
): Promise<void> {
  const isUnchanged =
    held.length === subnetIds.length && subnetIds.every((each) => held.some(({ subnetId }) => subnetId === each))
  if (isUnchanged) return
  const wanted = subnetIds.map((subnetId) => ({ ...held.find((each) => each.subnetId === subnetId), subnetId }))
  await tx.execute('DELETE FROM port_addresses WHERE port_id = $1', [id])
  await allocateAddresses(tx, [{ portId: id, networkId, mac, deviceOwner: deviceOwners.dhcp, wanted }], random)
}
