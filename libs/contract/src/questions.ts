import { z } from 'zod'
import { hostId, networkId, portId, routerId, securityGroupId, serverId } from './envelope.js'
import { plannedRule } from './network-plan.js'
import { surveyQuestion } from './survey.js'

/** Questions change nothing, are answered at once or not at all, and are not repeated. */
export const consoleQuestion = z.object({
  kind: z.literal('console-output'),
  serverId,
  /** The last so many lines; all that is kept where absent. */
  lines: z.int().nonnegative().optional(),
})
/** What would become of a packet that begins a conversation, by the plan that the host carries. */
export const traceQuestion = z.object({
  kind: z.literal('network-trace'),
  /** Of a guest on this host. */
  from: portId,
  destination: z.union([z.ipv4(), z.ipv6()]),
  /** An IANA number. */
  protocol: z.int().min(0).max(255),
  /** The destination's; of ICMP type and code. */
  port: z.int().min(0).max(65_535).optional(),
  code: z.int().min(0).max(255).optional(),
})
export type TraceQuestion = z.output<typeof traceQuestion>

export const agentQuestion = z.discriminatedUnion('kind', [consoleQuestion, surveyQuestion, traceQuestion])
export type AgentQuestion = z.output<typeof agentQuestion>

export const consoleAnswer = z.object({ output: z.string() })
export type ConsoleAnswer = z.output<typeof consoleAnswer>

const address = z.union([z.ipv4(), z.ipv6()])

/** One place on a packet's way, and what was said there: codes, of which words are made where they are read. */
export const traceHop = z.discriminatedUnion('at', [
  z.object({
    at: z.literal('port'),
    portId,
    direction: z.enum(['ingress', 'egress']),
    verdict: z.enum(['allowed-by-rule', 'not-filtered', 'no-rule', 'port-down', 'no-address', 'no-way-out', 'unknown-port']),
    /** Those that let it through. */
    groupId: securityGroupId.optional(),
    rule: plannedRule.optional(),
  }),
  z.object({
    at: z.literal('network'),
    networkId,
    verdict: z.enum(['delivered', 'answered-here', 'nobody-there']),
    address,
    /** Where it is delivered to, on the underlay, where that is not this host. */
    host: address.optional(),
  }),
  z.object({
    at: z.literal('router'),
    routerId,
    verdict: z.enum(['forwarded', 'no-route', 'router-down', 'not-addressed']),
    /** As they are behind it. */
    source: address,
    destination: address,
    nexthop: address.optional(),
  }),
])
export type TraceHop = z.output<typeof traceHop>

export const traceAnswer = z.object({
  hops: z.array(traceHop),
  /** `leaves`: what becomes of it is for another host, or the outside, to say. */
  outcome: z.enum(['arrives', 'dropped', 'leaves']),
})
export type TraceAnswer = z.output<typeof traceAnswer>

/** An answer as it travels: what was asked for, or why not. */
export const answer = z.union([
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), kind: z.enum(['NotFound', 'Unavailable', 'Bug']), message: z.string() }),
])
export type Answer = z.output<typeof answer>

/** A question on its way to a host. */
export const asked = z.object({ questionId: z.uuid(), question: agentQuestion })
export type Asked = z.output<typeof asked>

/** An answer on its way from a host, among its reports. */
export const answered = z.object({ kind: z.literal('answer'), hostId, questionId: z.uuid(), answer })
export type Answered = z.output<typeof answered>
