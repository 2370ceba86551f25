/** What a config drive says to its guest. */
export interface ConfigDriveContents {
  /** meta_data.json, less its `files`. */
  metaData: Record<string, unknown>
  /** network_data.json */
  networkData: Record<string, unknown>
  /** base64 */
  userData: string | null
  /** Files that cloud-init puts into the guest: where to, and their contents in base64. */
  files: readonly { path: string; contents: string }[]
}

/** One file on the drive; it may stand in several places. */
export interface DriveFile {
  places: string[]
  contents: Buffer
}

/** The metadata API's versions that a client may look for, and the file that each was the first to have (nova/api/metadata/base.py). */
const versions: { version: string; adds?: string }[] = [
  { version: '2012-08-10' },
  { version: '2013-04-04' },
  { version: '2013-10-17', adds: 'vendor_data.json' },
  { version: '2015-10-15', adds: 'network_data.json' },
  { version: '2016-06-30' },
  { version: '2016-10-06', adds: 'vendor_data2.json' },
  { version: '2017-02-22' },
  { version: '2018-08-27' },
  { version: '2020-10-14' },
  { version: 'latest' },
]

const ec2Versions = ['2009-04-04', 'latest']

/** Lays a config drive out as OpenStack does: every version has the files that it knows. */
export function layOutConfigDrive(contents: ConfigDriveContents): DriveFile[] {
  const attached = contents.files.map(({ path, contents }, index) => ({
    contentPath: `/content/${String(index).padStart(4, '0')}`,
    path,
    contents: Buffer.from(contents, 'base64'),
  }))
  const metaData = {
    ...contents.metaData,
    ...(attached.length > 0 && { files: attached.map(({ path, contentPath }) => ({ path, content_path: contentPath })) }),
  }
  const userData = contents.userData === null ? undefined : Buffer.from(contents.userData, 'base64')
  return [
    versioned('meta_data.json', json(metaData)),
    versioned('vendor_data.json', json({})),
    versioned('vendor_data2.json', json({ static: {} })),
    versioned('network_data.json', json(contents.networkData)),
    { places: ec2Versions.map((version) => `ec2/${version}/meta-data.json`), contents: json(ec2MetaData(contents.metaData)) },
    ...(userData ? [withEc2(versioned('user_data', userData), 'user-data')] : []),
    ...attached.map(({ contentPath, contents }) => ({ places: [`openstack${contentPath}`], contents })),
  ]
}

/** The file in every version that knows it. */
function versioned(name: string, contents: Buffer): DriveFile {
  const since = versions.findIndex(({ adds }) => adds === name)
  return { places: versions.slice(Math.max(0, since)).map(({ version }) => `openstack/${version}/${name}`), contents }
}

function withEc2({ places, contents }: DriveFile, name: string): DriveFile {
  return { places: [...places, ...ec2Versions.map((version) => `ec2/${version}/${name}`)], contents }
}

/** EC2's names for what is known of the guest. */
function ec2MetaData({
  uuid,
  hostname,
  public_keys: keys,
  availability_zone: zone,
  launch_index: index,
}: Record<string, unknown>) {
  const named = Object.entries((keys ?? {}) as Record<string, string>)
  return {
    'instance-id': uuid,
    hostname,
    'local-hostname': hostname,
    'ami-launch-index': index ?? 0,
    placement: { 'availability-zone': zone },
    'public-keys': Object.fromEntries(
      named.map(([name, key], index) => [index, { _name: `${index}=${name}`, 'openssh-key': key }]),
    ),
  }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
