import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { run, runOrThrow } from '../process/run.js'
import { interfaceExists, removeInterface, type Underlay } from './network.js'

/** What is outside of the cloud, seen from its hosts: a bridge of the machine, on whose /24 the machine is the gateway. */
export interface Outside {
  bridge: string
  /** The first three numbers, such as `10.71.4`. */
  prefix: string
}

/** What the machine and the outside have in common; jumbo frames do not leave a machine by themselves. */
export const outsideMtu = 1500
/** Devices that forward because of us, one a line. Of all installations of this machine, so it lies in none of them. */
const forwardingFile = '/run/nubo/forwarding'
const bridgeNames = /^nx-[0-9a-f]{8}$/

/** The machine's own address there: the gateway of routers. */
export const outsideGateway = (outside: Outside) => `${outside.prefix}.1`

const tableOf = (outside: Outside) => outside.bridge.replace('nx-', 'nubo_')

/** Makes the bridge, and the way from it out of the machine, where they are missing. Says what could not be done. */
export async function ensureOutside(outside: Outside, underlay: Underlay): Promise<string | undefined> {
  const { bridge } = outside
  if (!(await interfaceExists(bridge))) await runOrThrow('ip', ['link', 'add', bridge, 'type', 'bridge', 'forward_delay', '0'])
  await runOrThrow('ip', ['link', 'set', bridge, 'mtu', String(outsideMtu), 'up'])
  await runOrThrow('ip', ['address', 'replace', `${outsideGateway(outside)}/24`, 'dev', bridge])
  try {
    for (const device of [bridge, ...(await uplinks())]) forward(device)
    await makeTable(outside, underlay)
    return undefined
  } catch (error) {
    return `guests do not reach beyond this machine: ${(error as Error).message}`
  }
}

/** Takes all of it away again. What other installations of this machine still need stays. */
export async function removeOutside(outside: Outside): Promise<void> {
  await run('nft', ['delete', 'table', 'inet', tableOf(outside)])
  await removeInterface(outside.bridge)
  if ((await bridges()).length === 0) stopForwarding()
}

/** Lays the cable between the bridge and a host: `device` on the machine's side, `x0` in the network namespace of `pid`. */
export async function connectToOutside(outside: Outside, device: string, pid: number): Promise<void> {
  await removeInterface(device)
  await runOrThrow('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', outsideDevice, 'netns', String(pid)])
  await runOrThrow('ip', ['link', 'set', device, 'mtu', String(outsideMtu), 'master', outside.bridge, 'up'])
}

/** A host's network card to the outside; it has no address there. */
export const outsideDevice = 'x0'

/** The devices that default routes of the machine lead to. */
async function uplinks(): Promise<string[]> {
  const { stdout } = await run('ip', ['-json', '-4', 'route', 'show', 'default'])
  const routes = stdout.trim() ? (JSON.parse(stdout) as { dev?: string }[]) : []
  return [...new Set(routes.flatMap((route) => route.dev ?? []))]
}

async function bridges(): Promise<string[]> {
  const stdout = await runOrThrow('ip', ['-json', 'link', 'show', 'type', 'bridge'])
  const links = stdout.trim() ? (JSON.parse(stdout) as { ifname?: string }[]) : []
  return links.flatMap((link) => link.ifname ?? []).filter((name) => bridgeNames.test(name))
}

const switchOf = (device: string) => `/proc/sys/net/ipv4/conf/${device}/forwarding`

/** The machine forwards what comes by this device; only for the two devices that need it, and for as long as we are here. */
function forward(device: string): void {
  const file = switchOf(device)
  if (readFileSync(file, 'utf8').trim() === '1') return
  writeFileSync(file, '1')
  mkdirSync(dirname(forwardingFile), { recursive: true, mode: 0o755 })
  writeFileSync(forwardingFile, `${device}\n`, { flag: 'a' })
}

function stopForwarding(): void {
  if (!existsSync(forwardingFile)) return
  for (const device of readFileSync(forwardingFile, 'utf8').split('\n').filter(Boolean)) {
    if (existsSync(switchOf(device))) writeFileSync(switchOf(device), '0')
  }
  rmSync(forwardingFile)
}

/**
 * What leaves the machine from there does so under the machine's own address, and reaches neither hosts nor the control plane on
 * the underlay: guests are there. One table, made anew as a whole.
 */
async function makeTable(outside: Outside, underlay: Underlay): Promise<void> {
  const table = tableOf(outside)
  const rules = `
    table inet ${table} {}
    delete table inet ${table}
    table inet ${table} {
      chain prerouting {
        type filter hook prerouting priority raw; policy accept;
        iifname "${outside.bridge}" ip daddr ${underlay.prefix}.0/24 drop
      }
      chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr ${outside.prefix}.0/24 oifname != "${outside.bridge}" masquerade
      }
    }`
  await runOrThrow('nft', ['-f', '-'], { input: rules })
}
