import { assert, counted } from '@nubo/kernel'
import type { Candidate, Decision, Refusal } from './decision.js'
import type { RuleCode } from './filters.js'
import type { PlacementRequest } from './placement-request.js'

export interface Wording {
  /** Whether hosts are named: operators want it, tenants may not be meant to know. */
  nameHosts?: boolean
}

/** What became of the hosts that a rule refused, after their number: '3 lacked memory'. */
const fates: Record<RuleCode, string> = {
  disabled: 'disabled',
  down: 'down',
  notAsked: 'not among the hosts asked for',
  availabilityZone: 'in another availability zone',
  tried: 'tried already',
  architecture: 'of another architecture',
  vcpus: 'lacked vCPUs',
  memory: 'lacked memory',
  disk: 'lacked disk',
}

const units: Partial<Record<RuleCode, string>> = { vcpus: 'vCPUs', memory: 'MiB', disk: 'GiB' }

/**
 * The fault of a server that fits nowhere: Nova's sentence, then how many hosts each rule refused and how near the best
 * came. Throws CloudError 'Bug' if a host was accepted: then there was a valid host.
 */
export function faultMessage(decision: Decision, wording: Wording = {}): string {
  assert(decision.acceptedCount === 0, 'a decision that refuses a server accepts no host')
  if (decision.hostCount === 0) return 'No valid host was found. There are no hosts.'
  const reasons = decision.refusals.map((refusal) => {
    const why = whyRefused(refusal, decision.request, wording)
    return `${refusal.count} ${fates[refusal.rule]}${why && ` (${why})`}`
  })
  return `No valid host was found. Of ${counted(decision.hostCount, 'host')}, ${reasons.join(', ')}.`
}

/** The whole decision, a line for each thing that a person would ask. */
export function explain(decision: Decision, wording: Wording = {}): string[] {
  const { request, refusals, candidates, acceptedCount } = decision
  return [
    `Asked for ${asked(request)}.`,
    outcome(decision, wording),
    ...candidates.map((candidate, index) => `  ${index + 1}. ${ranked(candidate, index, decision, wording)}`),
    ...(acceptedCount > candidates.length ? [`  and ${acceptedCount - candidates.length} more, ranked lower`] : []),
    ...(refusals.length > 0 ? ['Refused:'] : []),
    ...refusals.map((refusal) => {
      const why = whyRefused(refusal, request, wording) || example(refusal, wording)
      return `  ${counted(refusal.count, 'host')} ${fates[refusal.rule]}${why && ` (${why})`}`
    }),
  ]
}

function outcome(decision: Decision, { nameHosts = true }: Wording): string {
  const { hostCount, acceptedCount, candidates, chosenHostId } = decision
  const fits = `Of ${counted(hostCount, 'host')}, ${acceptedCount} ${acceptedCount === 1 ? 'fits' : 'fit'}`
  if (chosenHostId === undefined) return `${fits}.`
  const place = candidates.findIndex(({ hostId }) => hostId === chosenHostId)
  const chosen = nameHosts ? candidates[place]!.name : `number ${place + 1}`
  const lost = place === 0 ? '' : `; ${place} ranked higher had lost the room by then`
  return `${fits}; placed on ${chosen}${lost}.`
}

function asked(request: PlacementRequest): string {
  const parts = [counted(request.vcpus, 'vCPU'), `${request.memoryMiB} MiB of memory`, `${request.diskGiB} GiB of disk`]
  if (request.architecture !== undefined) parts.push(`architecture ${request.architecture}`)
  if (request.availabilityZone !== undefined) parts.push(`availability zone ${request.availabilityZone}`)
  return parts.join(', ')
}

function ranked(candidate: Candidate, index: number, { chosenHostId }: Decision, { nameHosts = true }: Wording): string {
  const { room, serverCount } = candidate
  const name = nameHosts ? candidate.name : `host number ${index + 1}`
  const scores = Object.entries(candidate.scores).map(([weigher, score]) => `${weigher} ${score}`)
  const left = `${counted(room.vcpus, 'vCPU')}, ${room.memoryMiB} MiB, ${room.diskGiB} GiB free`
  const chosen = candidate.hostId === chosenHostId ? ', chosen' : ''
  return `${name}: score ${candidate.score} (${scores.join(', ')}); ${left}; ${counted(serverCount, 'server')}${chosen}`
}

/** What the rule asked for and what there was; empty if its name says it all. */
function whyRefused(refusal: Refusal, request: PlacementRequest, { nameHosts = true }: Wording): string {
  const { rule, nearest } = refusal
  const on = nameHosts ? ` on ${nearest.name}` : ''
  const unit = units[rule]
  if (unit !== undefined) return `needed ${refusal.needed} ${unit}, most free ${Math.max(0, nearest.has!)} ${unit}${on}`
  if (rule === 'tried') return request.excludedHosts!.map(({ name, why }) => (nameHosts ? `${name}: ${why}` : why)).join('; ')
  if (rule === 'architecture') return `needed ${request.architecture}, found ${nearest.detail}${on}`
  if (rule === 'availabilityZone') return `needed ${request.availabilityZone}`
  return ''
}

/** One host of those that were refused for what they are: the fault has no room for it, and a tenant no use. */
function example({ rule, count, nearest }: Refusal, { nameHosts = true }: Wording): string {
  if (!nameHosts || (rule !== 'disabled' && rule !== 'down')) return ''
  const name = count > 1 ? `${nearest.name} among them` : nearest.name
  return nearest.detail === undefined ? name : `${name}: ${nearest.detail}`
}
