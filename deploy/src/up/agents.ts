import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cloud } from '../cloud.js'
import { agentPort } from '../configuration.js'
import { serviceTrouble } from '../health.js'
import type { KvmHost } from '../host/host.js'
import { controlPlaneAddress } from '../host/network.js'
import { run } from '../process/run.js'
import { agentCommand } from '../services.js'
import { waitUntilWell } from './why.js'

const startTimeoutMs = 60_000

/** Switches on the hosts that are off. */
export async function startHosts(cloud: Cloud): Promise<string> {
  const hosts = cloud.hosts
  const off = hosts.filter((host) => !host.isOn)
  prepareAgents(cloud)
  await Promise.all(hosts.map((host) => host.start()))
  return off.length ? `${off.map((host) => host.name).join(', ')} switched on` : 'all on'
}

/** Waits for each host's agent, restarting those whose program or configuration changed. Guests go on. */
export async function startAgents(cloud: Cloud, progress: (words: string) => void): Promise<string> {
  const hosts = cloud.hosts
  let restarted = 0
  await Promise.all(
    hosts.map(async (host) => {
      host.release('libvirtd')
      host.release('agent')
      if (await renew(cloud, host)) restarted++
      await waitForAgent(cloud, host)
      progress(`${host.name} is ready`)
    }),
  )
  return restarted ? `${restarted} restarted` : ''
}

function prepareAgents(cloud: Cloud): void {
  for (const host of cloud.hosts) if (!host.isOn) setAgent(cloud, host)
}

/** True where a running agent had to be ended to make way for another. */
async function renew(cloud: Cloud, host: KvmHost): Promise<boolean> {
  const stamp = stampOf(host)
  const before = existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined
  const now = setAgent(cloud, host)
  if (before === now || !host.program('agent')) return false
  await host.restart('agent')
  return true
}

function setAgent(cloud: Cloud, host: KvmHost): string {
  const record = cloud.installation.hosts.find((each) => each.name === host.name)!
  const { command, fingerprint } = agentCommand(cloud, record)
  host.setAgent(command)
  writeFileSync(stampOf(host), fingerprint)
  return fingerprint
}

function stampOf(host: KvmHost): string {
  return join(host.settings.directory, 'agent.fingerprint')
}

async function waitForAgent(cloud: Cloud, host: KvmHost): Promise<void> {
  const logFile = join(host.settings.logDirectory, 'agent.log')
  const trouble = () => serviceTrouble(host.settings.address, agentPort)
  const whyNot = () => (host.isOn ? undefined : `${host.name} went off`)
  try {
    await waitUntilWell(`the agent of ${host.name}`, logFile, trouble, whyNot, startTimeoutMs)
  } catch (error) {
    throw (await firewallTrouble(cloud, host)) ?? error
  }
}

/** A machine's own firewall may keep its hosts from Redis; that is worth a sentence of its own. */
async function firewallTrouble(cloud: Cloud, host: KvmHost): Promise<Error | undefined> {
  const { underlay, ports } = cloud.installation
  const address = controlPlaneAddress(underlay)
  const init = host.firstProcess
  if (!init) return undefined
  const probe = [
    '--target',
    String(init.pid),
    '--net',
    'timeout',
    '3',
    'bash',
    '-c',
    `exec 3<>/dev/tcp/${address}/${ports.redis}`,
  ]
  if ((await run('nsenter', probe)).code === 0) return undefined
  return new Error(
    `${host.name} cannot reach ${address}:${ports.redis}: let the machine's firewall accept input on ${underlay.bridge}.`,
  )
}
