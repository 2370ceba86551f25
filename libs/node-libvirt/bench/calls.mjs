/** Calls a second on libvirt's own `test:///default`, one after another and many at once. Needs root and a built library. */
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectLibvirt, unixSocket } from '../dist/index.js'
import { startPrivateLibvirtd } from '../dist/testing.js'

const directory = await mkdtemp(join(tmpdir(), 'node-libvirt-bench-'))
const libvirtd = await startPrivateLibvirtd({ directory })
const libvirt = await connectLibvirt({ transport: unixSocket(libvirtd.socketPath), uri: 'test:///default' })
const domain = await libvirt.domainLookupByName({ name: 'test' })

const measured = {
  connectGetHostname: () => libvirt.connectGetHostname(),
  domainGetState: () => libvirt.domainGetState({ domain }),
  domainGetXmlDesc: () => libvirt.domainGetXmlDesc({ domain }),
  connectListAllDomains: () => libvirt.connectListAllDomains(),
}

async function callsPerSecond(count, run) {
  const beganMs = performance.now()
  await run(count)
  return Math.round((count / (performance.now() - beganMs)) * 1000)
}

try {
  for (const [name, call] of Object.entries(measured)) {
    const oneByOne = async (count) => {
      for (let made = 0; made < count; made++) await call()
    }
    const atOnce = (count) => Promise.all(Array.from({ length: count }, call))
    await oneByOne(1000)
    console.log(name, { oneByOne: await callsPerSecond(10_000, oneByOne), atOnce: await callsPerSecond(10_000, atOnce) })
  }
  console.log('load average', loadavg())
} finally {
  await libvirt.close()
  await libvirtd.stop()
  await rm(directory, { recursive: true })
}
