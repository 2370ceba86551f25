import { baseConfiguration, redisConfiguration } from '@nubo/service-kit'
import { z } from 'zod'

/** The longest path that a unix socket may have (sockaddr_un), less what a console's name adds to the directory's. */
const longestDirectory = 107 - '/consoles/01234567-0123-4567-89ab-0123456789ab.sock'.length

const host = z.strictObject({
  /** What the host is known by for good; its name may change. */
  id: z.uuid(),
  name: z.string().min(1).max(255),
  /** Where guests, images, consoles and the journal lie. QEMU's user must be able to pass through it. */
  directory: z.string().startsWith('/'),
  libvirtSocket: z.string(),
  /** Where other hosts reach it: they send the frames of the networks there, so for these it is an address of IP. */
  address: z.string().min(1),
  /** What this host may use of its machine. */
  vcpus: z.int().positive(),
  memoryMiB: z.int().positive(),
  diskGiB: z.int().nonnegative(),
  /** Of `memoryMiB` and `diskGiB`, what is kept for the host itself. */
  reservedMemoryMiB: z.int().nonnegative(),
  reservedDiskGiB: z.int().nonnegative().default(0),
  /** Virtual processors given away for each real one; Nova's cpu_allocation_ratio. */
  vcpuRatio: z.number().positive().default(16),
})

const device = z.string().regex(/^[^\s/]{1,15}$/)

const networks = z.strictObject({
  vxlanPort: z.int().min(1).max(65_535).default(4789),
  /** By the name of a physical network: the network card that is on it, or a bridge that stands there already. */
  physicalNetworks: z
    .record(z.string().min(1), z.union([z.strictObject({ device }), z.strictObject({ bridge: device })]))
    .default({}),
  /** Where the files of dnsmasq lie; its user must be able to pass through it. Without, below the host's own directory. */
  directory: z.string().startsWith('/').optional(),
  dnsmasqUser: z.string().min(1).default('dnsmasq'),
  /** From here on, ports at which the host asks nameservers for the networks; reached from their own links alone. */
  resolverPort: z.int().min(1).max(60_000).default(8053),
  /** The port at which the host answers its guests' calls for metadata; reached from the networks' own links alone. */
  metadataPort: z.int().min(1).max(65_535).default(8775),
})

export const agentConfiguration = baseConfiguration
  .extend({
    redis: redisConfiguration,
    host,
    /** The public key of the control plane: commands that are not signed with its private one are refused. */
    controlPlane: z.strictObject({ publicKeyFile: z.string().min(1) }),
    driver: z.enum(['libvirt', 'test', 'simulated']),
    /** What guests run on. `auto`: found out by a trial. */
    virtType: z.enum(['auto', 'kvm', 'qemu']).default('auto'),
    networks: networks.prefault({}),
    images: z
      .strictObject({
        /** Images that no guest stands on are removed, longest unused first, while less than this is free. */
        minimumFreeGiB: z.int().nonnegative().default(1),
      })
      .prefault({}),
  })
  .refine(({ driver, host }) => driver !== 'libvirt' || Buffer.byteLength(host.directory) <= longestDirectory, {
    path: ['host', 'directory'],
    message: `longer than ${longestDirectory} bytes: guests' consoles need sockets in it`,
  })
export type AgentConfiguration = z.infer<typeof agentConfiguration>
