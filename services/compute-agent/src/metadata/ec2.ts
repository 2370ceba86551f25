import type { Subject } from './guest-metadata.js'
import { shownAs, type Node } from './tree.js'

/** Of EC2's metadata, as Nova has them (nova/api/metadata/base.py). */
export const ec2Versions = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2007-08-29',
  '2007-10-10',
  '2007-12-15',
  '2008-02-01',
  '2008-09-01',
  '2009-04-04',
]

/** All that EC2's version `version` tells; undefined where there is no such version. */
export function ec2Tree(subject: Subject, version: string): Node | undefined {
  const known = version === 'latest' ? ec2Versions.length - 1 : ec2Versions.indexOf(version)
  if (known < 0) return undefined
  const since = (first: string, names: Record<string, Node>) => (known >= ec2Versions.indexOf(first) ? names : {})
  const { metaData, localIpv4, publicIpv4, securityGroups, flavorName, imageId, userData } = subject
  const hostname = textOf(metaData.hostname)
  const metadata: Node = {
    'ami-id': `ami-${shortId(imageId)}`,
    'ami-launch-index': textOf(metaData.launch_index ?? 0),
    // To the letter what Nova says (InstanceMetadata.get_ec2_metadata, nova/api/metadata/base.py): guests know it as no path.
    'ami-manifest-path': 'FIXME',
    'instance-id': `i-${shortId(metaData.uuid)}`,
    hostname,
    'local-ipv4': localIpv4,
    'reservation-id': `r-${shortId(metaData.uuid)}`,
    'security-groups': securityGroups,
    ...publicKeys(metaData.public_keys),
    ...since('2007-01-19', { 'local-hostname': hostname, 'public-hostname': hostname, 'public-ipv4': publicIpv4 }),
    ...since('2007-08-29', { 'instance-type': flavorName }),
    ...since('2007-12-15', { 'block-device-mapping': { ami: 'vda', root: '/dev/vda' } }),
    ...since('2008-02-01', { placement: { 'availability-zone': textOf(metaData.availability_zone) } }),
    ...since('2008-09-01', { 'instance-action': 'none' }),
  }
  return { 'meta-data': metadata, ...(userData !== null && { 'user-data': Buffer.from(userData, 'base64').toString('latin1') }) }
}

/** EC2's ids are eight digits long: the first of ours. */
const shortId = (id: unknown) => textOf(id).replaceAll('-', '').slice(0, 8)

const textOf = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

function publicKeys(keys: unknown): Record<string, Node> {
  const named = Object.entries((keys ?? {}) as Record<string, string>)
  if (named.length === 0) return {}
  return {
    'public-keys': Object.fromEntries(
      named.map(([name, key], index) => [String(index), { [shownAs]: `${index}=${name}`, 'openssh-key': key }]),
    ),
  }
}
