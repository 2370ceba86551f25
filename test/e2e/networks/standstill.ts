import { expect, it } from '@jest/globals'
import { eventually, linkOf, minutes } from '../../support/network-checks.js'
import type { NetworkStage, Plugged } from '../../support/network-stage.js'

/** A guest whose kernel stands still: what it is asked for takes minutes to be given up, in which other cases go on. */
export function standstill(stage: () => NetworkStage) {
  let plugged: Plugged

  const begins = () =>
    it(
      'is asked to let go of an interface',
      async () => {
        const { stranger, other } = stage()
        const network = await stage().make(other, 'networks', { name: 'second' })
        await stage().make(other, 'subnets', { network_id: network, ip_version: 4, cidr: '10.88.0.0/24' })
        plugged = await stage().attach(stranger, { net_id: network })
        await stranger.shell.halt()
        await stage().askToDetach(stranger, plugged.portId)
        expect(await stage().interfacesOf(stranger)).toContain(plugged.portId)
      },
      10 * minutes,
    )

  const ends = () =>
    it(
      'keeps the interface, and whoever asked is told why; its next start is as the cloud shows, and then it lets go',
      async () => {
        const { stranger, other } = stage()
        const { portId, mac } = plugged
        const message = await eventually('it is given up', whyNot, 5 * minutes)
        expect(message).toMatch(/did not let go/)
        expect(await stage().interfacesOf(stranger)).toContain(portId)
        expect((await stage().show(stranger.id)).status).toBe('ACTIVE')
        const reboot = { reboot: { type: 'HARD' } }
        expect((await other.compute('POST', `/servers/${stranger.id}/action`, reboot)).status).toBe(202)
        await stage().whenActive(stranger.id)
        stranger.shell = await stage().openShell(stranger)
        await eventually('it has its interface', () => linkOf(stranger, { mac_address: mac }))
        await stage().detach(stranger, portId)
        expect(await linkOf(stranger, { mac_address: mac })).toBeUndefined()
      },
      10 * minutes,
    )

  /** What is said of the action that failed. */
  async function whyNot(): Promise<string | undefined> {
    type Actions = { instanceActions: { action: string; message: string | null }[] }
    const { other, stranger } = stage()
    const { body } = await other.compute<Actions>('GET', `/servers/${stranger.id}/os-instance-actions`)
    return (
      body.instanceActions.find(({ action, message }) => action === 'detach_interface' && message !== null)?.message ?? undefined
    )
  }

  return { begins, ends }
}
