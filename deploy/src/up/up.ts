import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Refusal } from '../../bootstrap/refusal.mjs'
import { type StepTime, Steps } from '../../bootstrap/steps.mjs'
import type { Cloud } from '../cloud.js'
import { DataFolder } from '../installation/place.js'
import { ensureFirstGuest, ensureGuestImage, type FirstGuest } from './first-guest.js'
import { bringUp } from './bring-up.js'
import { CloudClient } from './cloud-client.js'
import { guestKeyFile } from './guest-access.js'
import { ensureExternalNetwork, ensurePrivateNetwork } from './networks.js'

/** Brings the whole cloud up, or what of it is missing, and shows a guest's console. */
export async function up(args: string[]): Promise<number> {
  if (args.length) throw new Refusal(`up takes no arguments, and was given ${args.join(' ')}.`)
  const steps = new Steps()
  const folder = new DataFolder()
  const before: StepTime[] = JSON.parse(process.env['NUBO_STEPS'] ?? '[]')
  const cloud = await bringUp(folder, steps)

  const { admin, demo } = cloud.installation.passwords
  const asAdmin = new CloudClient(cloud.addresses.api, { user: 'admin', password: admin, project: 'admin' })
  const asDemo = new CloudClient(cloud.addresses.api, { user: 'demo', password: demo, project: 'demo' })
  await steps.step('hosts in the cloud', () => asAdmin.waitForHosts(cloud.installation.hosts.length))
  await steps.step('guest image', (progress) => ensureGuestImage(cloud, asAdmin, progress))
  await steps.step('networks', async () => {
    await ensureExternalNetwork(cloud, asAdmin)
    return await ensurePrivateNetwork(cloud, asDemo)
  })
  const guest = await steps.step('first guest', (progress) => ensureFirstGuest(cloud, asDemo, progress))

  const times = [...before, ...steps.times]
  writeFileSync(join(folder.path, 'up.json'), `${JSON.stringify({ steps: times }, null, 2)}\n`)
  tell(steps, cloud, guest, times)
  return guest.state === 'ERROR' ? 1 : 0
}

function tell(steps: Steps, cloud: Cloud, guest: FirstGuest, times: readonly StepTime[]): void {
  const seconds = Math.round(times.reduce((sum, step) => sum + step.ms, 0) / 1000)
  const { hosts, share } = cloud.installation
  steps.say()
  steps.say(`Nubo is up, after ${seconds} s.`)
  steps.say()
  steps.say(`  API     ${cloud.addresses.api}/v3`)
  steps.say(`  hosts   ${hosts.length}, each with ${share.memoryMiB} MiB, ${share.vcpus} CPU, ${share.diskGiB} GiB`)
  steps.say(`  guest   ${guest.name}: ${guest.state}${guest.reason ? `: ${guest.reason}` : ''}`)
  if (guest.address) steps.say(`  address ${guest.address}${guest.trouble ? `: ${guest.trouble}` : ', which answers ssh'}`)
  if (guest.console.length) steps.say()
  for (const line of guest.console) steps.say(`    | ${line}`)
  steps.say()
  steps.say('Try next:')
  steps.say('  export OS_CLIENT_CONFIG_FILE=$PWD/.nubo/clouds.yaml OS_CLOUD=nubo')
  steps.say(`  npx nubo server list`)
  if (guest.address) steps.say(`  ssh -i ${relative(process.cwd(), guestKeyFile(cloud))} nubo@${guest.address}`)
  steps.say(`  npx nubo server create --image nubo-guest --flavor ${guest.flavor ?? 'm1.tiny'} --wait second`)
}
