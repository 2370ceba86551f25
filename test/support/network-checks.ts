import { createConnection } from 'node:net'
import { waitFor } from '@nubo/deploy'
import type { Guest, Port } from './network-stage.js'

// What guests reach, and who reaches them.

export const minutes = 60_000

/** The name by which a guest knows the interface of a port; undefined while it does not. */
export async function linkOf({ shell }: Guest, { mac_address: mac }: Pick<Port, 'mac_address'>): Promise<string | undefined> {
  const { output } = await shell.run(`grep -l ${mac} /sys/class/net/*/address`)
  return /\/net\/(\w+)\//.exec(output)?.[1]
}

export const pings = async (from: Guest, address: string, ...options: string[]) =>
  (await from.shell.run(`ping -c 3 -W 3 ${options.join(' ')} ${address}`)).code === 0

export const eventually = <T>(what: string, condition: () => Promise<T>, timeoutMs = 3 * minutes) =>
  waitFor(what, condition, { timeoutMs, everyMs: 500 })

/** True when something accepts connections there, as the machine sees it. */
export const accepts = (address: string, port: number) => greeting(address, port).then((text) => text !== undefined)

/** What whoever accepts a connection there says first; undefined where nobody accepts it. */
export function greeting(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port, timeout: 3_000 })
    let isConnected = false
    const end = (answer: string | undefined) => resolve((socket.destroy(), answer))
    socket
      .once('connect', () => (isConnected = true))
      .once('data', (text) => end(String(text).trim()))
      .once('close', () => end(isConnected ? '' : undefined))
      .once('error', () => end(undefined))
      .once('timeout', () => end(isConnected ? '' : undefined))
  })
}
