import type { ProjectId, ServerId } from '@nubo/kernel'
import type { GuestDefinition } from '../guest-definition.js'
import type { GuestStamp } from '../hypervisor.js'
import { element, type XmlElement } from './element.js'
import { descend, parseXml } from './parse.js'

/** The namespace of what we write into a domain. Its last part changes with the meaning of what is inside. */
export const metadataNamespace = 'https://nubo.dev/domain/1'

/** What a domain carries to say whose it is: `virsh dumpxml` shows it, and it outlives us in libvirt's own files. */
export function guestMetadata(guest: GuestDefinition): XmlElement {
  return element(
    'nubo:guest',
    { 'xmlns:nubo': metadataNamespace },
    element('nubo:stamp', {
      server: guest.serverId,
      project: guest.projectId,
      incarnation: guest.incarnation,
      'fencing-epoch': guest.fencingEpoch,
    }),
    element('nubo:name', {}, guest.name),
  )
}

const counter = /^[1-9][0-9]{0,14}$/

/**
 * Reads the stamp back from our part of a domain's metadata, as virDomainGetMetadata finds it by our namespace (and gives it
 * back without any); undefined if it is not a whole one.
 */
export function readStamp(metadata: string): GuestStamp | undefined {
  const guest = parseXml(metadata)
  if (guest.name !== 'guest') return undefined
  const { server, project, incarnation, 'fencing-epoch': fencingEpoch } = descend(guest, 'stamp')?.attributes ?? {}
  if (!server || !project || !counter.test(incarnation ?? '') || !counter.test(fencingEpoch ?? '')) return undefined
  return {
    serverId: server as ServerId,
    projectId: project as ProjectId,
    incarnation: Number(incarnation),
    fencingEpoch: Number(fencingEpoch),
  }
}
