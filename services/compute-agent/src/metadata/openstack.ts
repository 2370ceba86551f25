import type { Random } from '@nubo/kernel'
import type { Subject } from './guest-metadata.js'

/** As Nova has them; each is named by what it was the first to have. */
const versions = {
  folsom: '2012-08-10',
  grizzly: '2013-04-04',
  havana: '2013-10-17',
  liberty: '2015-10-15',
  newtonOne: '2016-06-30',
  newtonTwo: '2016-10-06',
  ocata: '2017-02-22',
  rocky: '2018-08-27',
  victoria: '2020-10-14',
} as const
export const openstackVersions: readonly string[] = Object.values(versions)

const randomSeedBytes = 512

/** A document, or the password, which may also be set. */
export type OpenstackItem = { list: readonly string[] } | { json: unknown } | { bytes: Buffer } | { password: true }

/** What stands below `/openstack/`; undefined where nothing does. */
export function openstackItem(
  subject: Subject,
  [version = '', ...rest]: readonly string[],
  random: Random,
): OpenstackItem | undefined {
  const known = version === 'latest' ? openstackVersions.length - 1 : openstackVersions.indexOf(version)
  if (known < 0 || rest.length > 1) return undefined
  const has = (first: keyof typeof versions) => known >= openstackVersions.indexOf(versions[first])
  switch (rest[0]) {
    case undefined:
      return { list: listOf(subject, has) }
    case 'meta_data.json':
      return { json: metaDataOf(subject, has, random) }
    case 'user_data':
      return subject.userData === null ? undefined : { bytes: Buffer.from(subject.userData, 'base64') }
    case 'password':
      return has('grizzly') ? { password: true } : undefined
    case 'vendor_data.json':
      return has('havana') ? { json: {} } : undefined
    case 'network_data.json':
      return has('liberty') ? { json: subject.networkData } : undefined
    case 'vendor_data2.json':
      return has('newtonTwo') ? { json: { static: {} } } : undefined
    default:
      return undefined
  }
}

type Has = (first: keyof typeof versions) => boolean

function listOf({ userData }: Subject, has: Has): string[] {
  return [
    'meta_data.json',
    ...(userData === null ? [] : ['user_data']),
    ...(has('grizzly') ? ['password'] : []),
    ...(has('havana') ? ['vendor_data.json'] : []),
    ...(has('liberty') ? ['network_data.json'] : []),
    ...(has('newtonTwo') ? ['vendor_data2.json'] : []),
  ]
}

/** Without the files that were put in: those are on the config drive alone, as with Nova. */
function metaDataOf({ metaData, serverMetadata }: Subject, has: Has, random: Random): Record<string, unknown> {
  const { meta: _, files: __, project_id, devices, dedicated_cpus, ...always } = metaData
  return {
    ...always,
    ...(Object.keys(serverMetadata).length > 0 && { meta: serverMetadata }),
    ...(has('grizzly') && { random_seed: random.bytes(randomSeedBytes).toString('base64') }),
    ...(has('liberty') && { project_id }),
    ...(has('newtonOne') && { devices: devices ?? [] }),
    ...(has('victoria') && { dedicated_cpus: dedicated_cpus ?? [] }),
  }
}
