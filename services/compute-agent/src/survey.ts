import { surveyPage, type SurveyAnswer, type SurveyedServer } from '@nubo/contract'
import type { Hypervisor } from '@nubo/hypervisor'
import type { ServerId } from '@nubo/kernel'
import type { DiskMaker } from './guests/disk-maker.js'
import type { GuestFiles, GuestRecord } from './guests/guest-files.js'
import type { Images } from './images/image-cache.js'
import type { Journal } from './journal.js'
import { powerStateCode } from './reports/power-state.js'

export interface SurveyTools {
  hypervisor: Hypervisor
  guests: GuestFiles
  disks: DiskMaker
  images: Images
  journal: Journal
}

const straysAtMost = 50
const foldersAtMost = 50

/** What lies on this host, a page of it: changes nothing, and is looked up in the hypervisor and on the disk. */
export async function surveyOf(tools: SurveyTools, after: ServerId | undefined): Promise<SurveyAnswer> {
  const { hypervisor, guests, images, journal } = tools
  const domains = new Map((await hypervisor.list()).map((guest) => [guest.serverId, guest]))
  const folders = Map.groupBy(guests.all(), ({ serverId }) => serverId as ServerId)
  const all = new Set([...domains.keys(), ...folders.keys(), ...journal.servers()])
  const behind = [...all].filter((serverId) => after === undefined || serverId > after).sort()
  const page = behind.slice(0, surveyPage)
  const servers = page.map(async (serverId): Promise<SurveyedServer> => {
    const domain = domains.get(serverId)
    const records = (folders.get(serverId) ?? []).slice(0, foldersAtMost)
    return {
      serverId,
      domain: domain
        ? {
            incarnation: domain.incarnation,
            fencingEpoch: domain.fencingEpoch,
            powerState: powerStateCode(domain.powerState),
          }
        : null,
      folders: await Promise.all(records.map((record) => folderOf(tools, record))),
      journal: journalOf(journal, serverId),
    }
  })
  return {
    servers: await Promise.all(servers),
    next: behind.length > page.length ? page.at(-1)! : null,
    ...(await images.weigh()),
    strays: (await guests.strays()).slice(0, straysAtMost),
  }
}

async function folderOf({ guests, disks }: SurveyTools, record: GuestRecord): Promise<SurveyedServer['folders'][number]> {
  const [bytes, lacks] = await Promise.all([guests.bytesOf(record), disks.lacks(record)])
  return { incarnation: record.incarnation, bytes, ...(lacks.length > 0 && { lacks }) }
}

function journalOf(journal: Journal, serverId: ServerId): SurveyedServer['journal'] {
  const entry = journal.get(serverId)
  if (!entry) return null
  const { fence, incarnation, result, tombstone } = entry
  return {
    fence,
    incarnation,
    ended: result !== undefined,
    acknowledged: result?.acknowledged ?? false,
    tombstone: tombstone?.incarnation ?? 0,
  }
}
