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
  /** Where other hosts reach it. */
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

export const agentConfiguration = baseConfiguration
  .extend({
    redis: redisConfiguration,
    host,
    /** The public key of the control plane: commands that are not signed with its private one are refused. */
    controlPlane: z.strictObject({ publicKeyFile: z.string().min(1) }),
    driver: z.enum(['libvirt', 'test', 'simulated']),
    /** What guests run on. `auto`: found out by a trial. */
    virtType: z.enum(['auto', 'kvm', 'qemu']).default('auto'),
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
