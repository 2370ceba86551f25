/** A connection that the kernel tracks, as `conntrack -o save` lists it: in the words that make it again. */
export interface Connection {
  line: string
  zone: number
  source: string
  destination: string
  /** Whom answers come from and go to: others than the two above where addresses are translated. */
  replySource: string
  replyDestination: string
  protocol: number
  /** The destination's; of ICMP its type and code. */
  port?: number
  code?: number
  /** The words by which this one alone is deleted. */
  tuple: string
}

const protocols: Readonly<Record<string, number>> = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
}
/** Of answers the addresses are named otherwise where they were translated (`-g`, `-n`). */
const ofTuple = [
  '-w',
  '-s',
  '-d',
  '-p',
  '--sport',
  '--dport',
  '--icmp-type',
  '--icmp-code',
  '--icmp-id',
  '--icmpv6-type',
  '--icmpv6-code',
  '--icmpv6-id',
]

export function parseConnection(line: string): Connection | undefined {
  const words = line.trim().split(/\s+/)
  const value = (...names: string[]) =>
    names.map((name) => words[words.indexOf(name) + 1]).find((_, index) => words.includes(names[index]!))
  const number = (...names: string[]) => (value(...names) === undefined ? undefined : Number(value(...names)))
  const [source, destination, protocol] = [value('-s'), value('-d'), value('-p')]
  if (words[0] !== '-A' || !source || !destination || !protocol) return undefined
  const port = number('--dport', '--icmp-type', '--icmpv6-type')
  const code = number('--icmp-code', '--icmpv6-code')
  const tuple = ofTuple.flatMap((name) => (words.includes(name) ? [`${name} ${value(name)}`] : [])).join(' ')
  return {
    ...{ source, destination, tuple, zone: number('-w') ?? 0 },
    replySource: value('-r', '-g') ?? destination,
    replyDestination: value('-q', '-n') ?? source,
    line: line.trim(),
    protocol: protocols[protocol] ?? Number(protocol),
    ...(port !== undefined && { port }),
    ...(code !== undefined && { code }),
  }
}
