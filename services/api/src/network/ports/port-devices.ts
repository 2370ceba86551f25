import { isCloudAdmin, type Caller } from '@nubo/auth'
import { findDevice, findHostByName, isPortOfFloatingIp, type PortRecord, type Transaction } from '@nubo/database'
import { computeOwnerPrefix, deviceOwners, invalidInput, isRouterPort, networkError } from '@nubo/domain'
import { CloudError, type HostId } from '@nubo/kernel'

/**
 * Throws where a port is to name a device that is not its project's. A server's ports are the compute API's to give: one that
 * names a server by itself would be shown as the server's, and never be plugged in.
 */
export async function assertDevice(
  tx: Transaction,
  { deviceId, projectId }: { deviceId: string; projectId: string },
  caller: Caller,
): Promise<void> {
  const device = await findDevice(tx, deviceId)
  if (!device) return
  if (device.projectId !== projectId && !isCloudAdmin(caller))
    throw networkError(
      'Conflict',
      'DeviceIDNotOwnedByTenant',
      `The following device_id ${deviceId} is not owned by your project or matches another project router.`,
    )
  if (device.kind === 'server')
    throw new CloudError(
      'Conflict',
      `Server ${deviceId} gets its ports by the compute API: POST /servers/${deviceId}/os-interface.`,
    )
}

/** Whether a server has the port, or a host carries it. */
export async function isAttached(tx: Transaction, { hostId, deviceOwner, deviceId }: PortRecord): Promise<boolean> {
  if (hostId !== null) return true
  return deviceOwner.startsWith(computeOwnerPrefix) && (await findDevice(tx, deviceId))?.kind === 'server'
}

export function portInUse({ id, networkId, deviceId }: PortRecord): CloudError {
  const message = `Unable to complete operation on port ${id} for network ${networkId}. Port already has an attached device ${deviceId}.`
  return networkError('Conflict', 'PortInUse', message)
}

export function portBound({ id, mac }: PortRecord, newMac: string): CloudError {
  const message = `Unable to complete operation on port ${id}, port is already bound, port type: bridge, old_mac ${mac}, new_mac ${newMac}.`
  return networkError('Conflict', 'PortBound', message)
}

/** Throws for a port that a device of the network itself has: it goes with the device. */
export async function assertDeletable(tx: Transaction, { id, deviceOwner, deviceId }: PortRecord): Promise<void> {
  const isHeld =
    deviceOwner === deviceOwners.dhcp ||
    (isRouterPort(deviceOwner) && (await findDevice(tx, deviceId))?.kind === 'router') ||
    (deviceOwner === deviceOwners.floatingIp && (await isPortOfFloatingIp(tx, id)))
  if (isHeld)
    throw networkError(
      'Conflict',
      'ServicePortInUse',
      `Port ${id} cannot be deleted directly via the port API: has device owner ${deviceOwner}.`,
    )
}

/** The host of that name; null for none. */
export async function hostCalled(tx: Transaction, name: string | null): Promise<HostId | null> {
  if (name === null || name === '') return null
  const hostId = await findHostByName(tx, name)
  if (hostId === undefined) throw invalidInput(`binding:host_id: there is no host '${name}'`)
  return hostId
}
