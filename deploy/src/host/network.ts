import { run, runOrThrow } from '../process/run.js'

/** Carries tenants' packets of 1500 bytes in VXLAN. */
export const underlayMtu = 1550

/** The private network that joins the hosts and the control plane: a bridge, a /24 and its first address for the machine. */
export interface Underlay {
  bridge: string
  /** The first three numbers, such as `10.71.3`. */
  prefix: string
}

/** The machine's own address on the underlay: there Redis, the conductor and the image service listen for hosts. */
export const controlPlaneAddress = (underlay: Underlay) => `${underlay.prefix}.1`

/** The address of the host with this number, from 1. */
export const hostAddress = (underlay: Underlay, number: number) => `${underlay.prefix}.${10 + number}`

export async function interfaceExists(name: string): Promise<boolean> {
  return (await run('ip', ['link', 'show', 'dev', name])).code === 0
}

/** Makes the bridge with its address where it is missing or half made. */
export async function ensureUnderlay(underlay: Underlay): Promise<void> {
  const { bridge } = underlay
  if (!(await interfaceExists(bridge))) await runOrThrow('ip', ['link', 'add', bridge, 'type', 'bridge', 'forward_delay', '0'])
  await runOrThrow('ip', ['link', 'set', bridge, 'mtu', String(underlayMtu), 'up'])
  await runOrThrow('ip', ['address', 'replace', `${controlPlaneAddress(underlay)}/24`, 'dev', bridge])
}

/** Removes it where it is there; a host's own goes by itself too, some time after the host's end. */
export async function removeInterface(name: string): Promise<void> {
  const { code, stderr } = await run('ip', ['link', 'delete', name])
  if (code !== 0 && (await interfaceExists(name))) throw new Error(`cannot remove the network device ${name}: ${stderr.trim()}`)
}

/** Lays the cable between the bridge and a host: `device` on the machine's side, `u0` in the network namespace of `pid`. */
export async function connectHost(underlay: Underlay, device: string, address: string, pid: number): Promise<void> {
  await removeInterface(device)
  await runOrThrow('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', 'u0', 'netns', String(pid)])
  await runOrThrow('ip', ['link', 'set', device, 'mtu', String(underlayMtu), 'master', underlay.bridge, 'up'])
  const inside = (...args: string[]) => runOrThrow('nsenter', ['--target', String(pid), '--net', 'ip', ...args])
  await inside('link', 'set', 'lo', 'up')
  await inside('link', 'set', 'u0', 'mtu', String(underlayMtu), 'up')
  await inside('address', 'replace', `${address}/24`, 'dev', 'u0')
}
