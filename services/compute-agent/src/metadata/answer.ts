import type { Random } from '@nubo/kernel'
import { posix } from 'node:path'
import { ec2Tree, ec2Versions } from './ec2.js'
import type { Subject } from './guest-metadata.js'
import { openstackItem, openstackVersions } from './openstack.js'
import { nodeAt, printed } from './tree.js'

/** What is at a path; `password` is read and set by whoever keeps it. */
export type Answer = { contentType: string; body: Buffer } | 'password'

const text = (body: string, encoding: BufferEncoding = 'utf8'): Answer => ({
  contentType: 'text/plain; charset=UTF-8',
  body: Buffer.from(body, encoding),
})

/** The versions, which anybody may ask for. */
export const isTop = (path: string) => namesOf(path).length === 0
export const topAnswer = () => text([...ec2Versions, 'latest'].join('\n'))

/**
 * As Nova's metadata API answers a path (`InstanceMetadata.lookup`): below `/openstack` its own documents, everywhere else
 * EC2's. Undefined where there is nothing.
 */
export function answerTo(path: string, subject: Subject, random: Random): Answer | undefined {
  const [first, ...rest] = namesOf(path)
  if (first === 'openstack') return openstackAnswer(rest, subject, random)
  return ec2Answer(first === 'ec2' ? rest : namesOf(path), subject)
}

function namesOf(path: string): string[] {
  return posix.normalize(`/${path}`).split('/').filter(Boolean)
}

function openstackAnswer(names: readonly string[], subject: Subject, random: Random): Answer | undefined {
  if (names.length === 0) return text([...openstackVersions, 'latest'].join('\n'))
  const item = openstackItem(subject, names, random)
  if (!item) return undefined
  if ('password' in item) return 'password'
  if ('list' in item) return text(item.list.join('\n'))
  if ('bytes' in item) return { contentType: 'text/plain; charset=UTF-8', body: item.bytes }
  return { contentType: 'application/json', body: Buffer.from(JSON.stringify(item.json)) }
}

function ec2Answer([version, ...rest]: readonly string[], subject: Subject): Answer | undefined {
  if (version === undefined) return topAnswer()
  const tree = ec2Tree(subject, version)
  const node = tree && nodeAt(tree, rest)
  if (node === undefined) return undefined
  // User data are bytes, and stand in the tree one to a character.
  return rest[0] === 'user-data' ? text(printed(node), 'latin1') : text(printed(node))
}
