import { computeQueue, surveyAnswer, type SurveyAnswer, type SurveyedServer } from '@nubo/contract'
import type { HostSurvey } from '@nubo/database'
import { CloudError, Limiter, type HostId, type ServerId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'

/** A host answers at once, or not at all. */
const answerWithinMs = 5_000
/** Each question holds a connection. */
const askedAtOnce = 16
/** Of a host that has no end of servers nothing is believed. */
const pagesAtMost = 40

/** A host, and what it says lies on it; or why it says nothing. */
export interface SurveyedHost {
  hostId: HostId
  name: string
  alive: boolean
  /** Undefined where the host could not be asked. */
  survey?: HostSurvey
  images?: SurveyAnswer['images']
  freeBytes?: number
  trouble?: string
}

export interface HostToAsk {
  id: HostId
  name: string
  alive: boolean
}

/** Asks hosts what lies on them. One that is silent is not waited for. */
export async function surveyHosts(queue: Queue, hosts: readonly HostToAsk[]): Promise<SurveyedHost[]> {
  const limiter = new Limiter(askedAtOnce)
  return await Promise.all(hosts.map((host) => limiter.run(() => surveyHost(queue, host))))
}

async function surveyHost(queue: Queue, { id: hostId, name, alive }: HostToAsk): Promise<SurveyedHost> {
  const host = { hostId, name, alive }
  if (!alive) return { ...host, trouble: 'It is down.' }
  try {
    const servers: SurveyedServer[] = []
    let after: ServerId | undefined
    for (let pages = 1; ; pages++) {
      const { next, images, freeBytes, strays, ...page } = await ask(queue, hostId, after)
      servers.push(...page.servers)
      if (!next) return { ...host, survey: { hostId, servers, strays }, images, freeBytes }
      if (pages === pagesAtMost) throw new CloudError('Unavailable', 'It tells of more servers than a host can have.')
      after = next
    }
  } catch (error) {
    if (error instanceof CloudError && error.kind === 'Unavailable') return { ...host, trouble: error.message }
    throw error
  }
}

async function ask(queue: Queue, hostId: HostId, after?: ServerId): Promise<SurveyAnswer> {
  const answer = await queue.ask(computeQueue(hostId), { kind: 'survey', ...(after && { after }) }, answerWithinMs)
  if (!answer.ok) throw new CloudError('Unavailable', answer.message)
  const parsed = surveyAnswer.safeParse(answer.value)
  if (!parsed.success) throw new CloudError('Unavailable', 'Its answer breaks the contract.', { cause: parsed.error })
  return parsed.data
}
