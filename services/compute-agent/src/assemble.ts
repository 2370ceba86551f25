import { usualDomain } from '@nubo/contract'
import {
  probeTracking,
  linuxHostNetwork,
  SimulatedHostNetwork,
  systemProcesses as networkProcesses,
  type HostNetwork,
} from '@nubo/host-network'
import { openLibvirtHypervisor, SimulatedHypervisor, systemProcesses, type Hypervisor } from '@nubo/hypervisor'
import { newId, type Clock, type HostId, type Id, type Random } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'
import { Agent } from './agent.js'
import type { AgentConfiguration } from './configuration.js'
import type { AgentFigures } from './figures.js'
import { diskFiles } from './files.js'
import { noDisks, OverlayDiskMaker } from './guests/disk-maker.js'
import { GuestFiles } from './guests/guest-files.js'
import { ImageCache } from './images/image-cache.js'
import { httpImageClient } from './images/image-client.js'
import { HostRecord } from './host-record.js'
import { Journal } from './journal.js'
import { lostJournal } from './lost-journal.js'
import { linuxMachine } from './machine.js'
import { MetadataServer } from './metadata/metadata-server.js'
import { ServedNetwork } from './metadata/served-network.js'
import { KeptPlan } from './networks/kept-plan.js'

export interface Surroundings {
  configuration: AgentConfiguration
  queue: Queue
  clock: Clock
  random: Random
  logger: Logger
  figures: AgentFigures
}

const gibibyte = 1024 ** 3

/** Puts an agent together from its configuration. Rejects with `Unavailable` while the hypervisor cannot be reached. */
export async function assembleAgent(
  surroundings: Surroundings,
): Promise<{ agent: Agent; hypervisor: Hypervisor; journal: Journal }> {
  const { configuration, queue, clock, random, logger, figures } = surroundings
  const { directory } = configuration.host
  const simulated = configuration.driver === 'simulated'
  // A simulated host ends with its process, so nothing that it keeps needs to outlive the machine.
  const files = diskFiles({ durable: !simulated })
  const onBroken = (path: string) => logger.error({ path }, 'what lies here cannot be read, and is left to a person')
  const guests = await GuestFiles.open(files, `${directory}/guests`, onBroken)
  const bootId = simulated ? newId<Id<'boot'>>(random) : await linuxMachine.bootId()
  const journal = await Journal.open({ files, directory: `${directory}/journal`, clock, bootId, onBroken })
  const images = await openImages(surroundings, guests)
  const hypervisor = simulated ? await simulatedHost(surroundings, guests) : await libvirtHost(surroundings)
  const record = await HostRecord.open({
    ...{ files, directory, hostId: configuration.host.id as HostId },
    examine: (found) => lostJournal(found, { journal, guests, hypervisor }),
  })
  if (record.quarantine) logger.error({ why: record.quarantine }, 'this host is in quarantine')
  const agent = new Agent({
    ...{ configuration, queue, hypervisor, guests, journal, record, images, clock, random, logger, bootId },
    network: configuration.driver === 'libvirt' ? await linuxNetwork(surroundings, guests) : new SimulatedHostNetwork(),
    networkPlan: await KeptPlan.open({ files, directory, bootId, onBroken }),
    disks: configuration.driver === 'libvirt' ? new OverlayDiskMaker(guests, images, systemProcesses, random) : noDisks,
    uptimeSeconds: linuxMachine.uptimeSeconds,
    onCommandEnded: figures.commandEnded,
  })
  figures.tellOfCache(() => images.use())
  return { agent, hypervisor, journal }
}

async function openImages({ configuration, clock, logger, figures }: Surroundings, guests: GuestFiles): Promise<ImageCache> {
  return await ImageCache.open({
    directory: `${configuration.host.directory}/images`,
    minimumFreeBytes: configuration.images.minimumFreeGiB * gibibyte,
    client: httpImageClient,
    clock,
    machine: linuxMachine,
    inUse: () => guests.imagesInUse(),
    onTrouble: (message, path) => logger.warn({ path, trouble: message }, 'an image is slow to arrive'),
    onAsked: figures.imageAsked,
  })
}

async function libvirtHost({ configuration, clock, random }: Surroundings): Promise<Hypervisor> {
  const { driver, host, virtType } = configuration
  const consoleDirectory = `${host.directory}/consoles`
  await diskFiles({ durable: false }).makeDirectory(consoleDirectory, 0o711)
  return await openLibvirtHypervisor({
    socketPath: host.libvirtSocket,
    uri: driver === 'test' ? 'test:///default' : 'qemu:///system',
    ...(virtType !== 'auto' && { virtType }),
    consoleDirectory,
    clock,
    random,
  })
}

async function linuxNetwork(surroundings: Surroundings, guests: GuestFiles): Promise<HostNetwork> {
  const { configuration, clock, random, logger, figures } = surroundings
  const { host, networks } = configuration
  const tracking = await probeTracking(networkProcesses()).catch((error: unknown) => {
    // All else of the host can do without: what needs it says so when a network comes.
    logger.warn({ err: error }, 'this host cannot carry networks')
    return 'bridge' as const
  })
  const { directory = `${host.directory}/networks` } = networks
  const network = linuxHostNetwork({
    settings: { ...networks, underlayAddress: host.address, directory, tracking, dnsDomain: usualDomain },
    clock,
  })
  const metadata = new MetadataServer({ guests, clock, random, logger, onAnswered: figures.metadataAnswered })
  return new ServedNetwork(network, metadata, networks.metadataPort)
}

/** A host that was off, and whose guests are all there, off. */
async function simulatedHost({ configuration, clock, random }: Surroundings, guests: GuestFiles): Promise<Hypervisor> {
  const { name, vcpus, memoryMiB } = configuration.host
  const hypervisor = new SimulatedHypervisor({ clock, random, hostName: name, cpus: vcpus, memoryMiB })
  for (const record of guests.all()) await hypervisor.define(guests.definition(record, []))
  return hypervisor
}
