import type { TableBuilder } from '../engine/piece.js'
import { networkTag, linkPatterns, tapName } from '../names.js'
import type { NetworkPlan } from '../plan.js'
import { identityPrefix, metadataAddress, metadataAddress6, type Identity } from './identities.js'

const request4 = `ip daddr ${metadataAddress} tcp dport 80`
const request6 = `ip6 daddr ${metadataAddress6} tcp dport 80`

/** By tap and address, the identity that a caller bears; and the way back. */
const identityMap = (family: 4 | 6) => `identities${family}`
const callerMap = (family: 4 | 6) => `callers${family}`
const ofFamily = (family: 4 | 6) => {
  const address = family === 4 ? 'ipv4_addr' : 'ipv6_addr'
  return { type: `ifname . ${address}`, data: address }
}

const answerChain = 'metadata_answer'
/** Of a network: where its guests' calls of the metadata service go. */
export const requestChain = (network: Pick<NetworkPlan, 'networkId' | 'segment'>) => `metadata_${networkTag(network)}`

/**
 * Puts on each call of the metadata service, where it enters, an address that its tap alone has, and takes it off the answer
 * where that leaves. A caller with an address that is not its own has none, and is not heard; an answer that a bridge was led
 * to carry elsewhere finds no address there.
 */
export function addCaller(table: TableBuilder, { port, address, identity, family }: Identity): void {
  const tap = tapName(port.portId)
  table.set(identityMap(family), ofFamily(family)).element(`${tap} . ${address}`, identity)
  table.set(callerMap(family), ofFamily(family)).element(`${tap} . ${identity}`, address)
}

/** What all callers have in common. */
export function addAnswers(table: TableBuilder): void {
  for (const family of [4, 6] as const) {
    table.set(identityMap(family), ofFamily(family))
    table.set(callerMap(family), ofFamily(family))
  }
  table.chain(answerChain).rule(`ip daddr set oifname . ip daddr map @${callerMap(4)} accept`)
  table.chain(answerChain).rule(`ip6 daddr set oifname . ip6 daddr map @${callerMap(6)} accept`, 'drop')
}

export function addRequests(
  table: TableBuilder,
  network: Pick<NetworkPlan, 'networkId' | 'segment'>,
  service: NetworkPlan['service'],
): void {
  const chain = table.chain(requestChain(network), undefined, 'shut')
  if (service) {
    const toService = `ether daddr set ${service.mac} accept`
    chain.rule(`ip saddr set iifname . ip saddr map @${identityMap(4)} ${toService}`)
    chain.rule(`ip6 saddr set iifname . ip6 saddr map @${identityMap(6)} ${toService}`)
  }
  chain.rule('drop')
}

/**
 * In the guard of a port: calls go their own way, and nobody bears an identity of its own making.
 * @param requests the chain of its network's calls; undefined where its network is not known.
 */
export function callRules(requests: string | undefined, mac?: string): string[] {
  const from = mac === undefined ? '' : `ether saddr ${mac} `
  const calls = requests === undefined ? [] : [request4, request6].map((request) => `${from}${request} goto ${requests}`)
  return [`ip saddr ${identityPrefix[4]} drop`, `ip6 saddr ${identityPrefix[6]} drop`, ...calls]
}

/** Ahead of what judges a port: answers of the service are for whoever called. */
export const answerRules = [
  `iifname "${linkPatterns.service}" ip saddr ${metadataAddress} tcp sport 80 goto ${answerChain}`,
  `iifname "${linkPatterns.service}" ip6 saddr ${metadataAddress6} tcp sport 80 goto ${answerChain}`,
]
