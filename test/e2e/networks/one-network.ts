import { expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { minutes, pings } from '../../support/network-checks.js'
import type { NetworkStage } from '../../support/network-stage.js'

const run = promisify(execFile)

/** Guests of one network, and of two that are alike. */
export function oneNetwork(stage: () => NetworkStage): void {
  it(
    'the first guest has an address outside, and lets its person in by ssh',
    async () => {
      const { cloud, told } = stage()
      const [, address] = /ssh -i \S+ nubo@(\S+)/.exec(told)!
      const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'ConnectTimeout=30']
      const key = ['-i', join(cloud.directory, 'first-guest.key')]
      const { stdout } = await run('ssh', [...key, ...options.flatMap((option) => ['-o', option]), `nubo@${address}`, 'hostname'])
      expect(stdout.trim()).toBe('first')
    },
    10 * minutes,
  )

  it(
    'guests have the addresses that the cloud shows, and reach each other on one host and across two, with full packets',
    async () => {
      const { one, two, three } = stage()
      expect(one.host).not.toBe(two.host)
      for (const guest of [one, two, three])
        expect((await guest.shell.run('ip -4 address show dev eth0')).output).toContain(`inet ${guest.address}/24`)
      expect(await pings(one, two.address, '-s 1472')).toBe(true)
      expect(await pings(two, one.address)).toBe(true)
      const neighbour = three.host === one.host ? one : two
      expect(await pings(three, neighbour.address, '-s 1472')).toBe(true)
      expect((await one.shell.run('cat /sys/class/net/eth0/mtu')).output).toBe('1500')
    },
    10 * minutes,
  )

  it(
    'their network knows their names',
    async () => {
      const { one, two } = stage()
      expect((await one.shell.run(`ping -c 1 -W 3 ${two.name}`)).output).toContain(two.address)
    },
    10 * minutes,
  )

  it(
    'two tenants with the same addresses never meet',
    async () => {
      const { one, two, three, stranger } = stage()
      expect(stranger.address).toBe(one.address)
      const reached = []
      for (const guest of [two, three]) if (await pings(stranger, guest.address)) reached.push(guest.name)
      expect(reached).toEqual([])
    },
    10 * minutes,
  )
}
