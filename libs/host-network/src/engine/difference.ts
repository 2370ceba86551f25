import { isOurs, isTap } from '../names.js'
import { hostNamespace, keyOf, standsOn, type KernelObject, type LinkObject } from './objects.js'

/** What is to be done to one thing in the kernel. */
export type Change =
  | { verb: 'make'; object: KernelObject }
  | { verb: 'alter'; object: KernelObject; before: KernelObject }
  | { verb: 'remove'; object: KernelObject }

type Objects = ReadonlyMap<string, KernelObject>

/** Things are made from the left to the right, and removed the other way. */
const order: readonly KernelObject['kind'][] = ['namespace', 'link', 'setting', 'address', 'neighbour', 'forwarding', 'route']

/**
 * What makes of `actual` what is `desired`. What is as it should be is not named. What stands on something that goes, or is
 * made anew, goes with it, and is made again where it is to stay.
 */
export function differenceOf(actual: Objects, desired: Objects): Change[] {
  const gone = whatGoes(actual, desired)
  const removals = [...actual.values()].filter((object) => isRemoved(object, gone, desired))
  const changes = [...desired.values()].flatMap((object) => changeOf(object, actual, gone))
  return [
    ...sorted(removals)
      .reverse()
      .map((object): Change => ({ verb: 'remove', object })),
    ...changes.toSorted((a, b) => rank(a.object) - rank(b.object)),
  ]
}

const rank = (object: KernelObject) => order.indexOf(object.kind) * 10 + linkRank(object)
const sorted = (objects: KernelObject[]) => objects.toSorted((a, b) => rank(a) - rank(b))

/** A bridge is there before its ports, a pair before what is set on its other end. */
function linkRank(object: KernelObject): number {
  if (object.kind !== 'link') return 0
  return { bridge: 0, vxlan: 1, veth: 1, peer: 2, found: 2 }[object.make.kind]
}

/** Keys of all that will not be there any more once the removals are done, whether it is to come again or not. */
function whatGoes(actual: Objects, desired: Objects): Set<string> {
  const gone = new Set<string>()
  for (const object of sorted([...actual.values()])) {
    const key = keyOf(object)
    const wanted = desired.get(key)
    const falls = standsOn(object).some((below) => gone.has(below))
    if (falls || !wanted || isMadeAnew(object, wanted) || isHalf(object, actual)) gone.add(key)
  }
  return gone
}

/** One end of a pair whose other end somebody took away to where we do not look. */
function isHalf(object: KernelObject, actual: Objects): boolean {
  if (object.kind !== 'link' || object.make.kind !== 'veth') return false
  return !actual.has(`link ${object.make.peerNamespace} ${object.make.peerName}`)
}

function isMadeAnew(before: KernelObject, wanted: KernelObject): boolean {
  if (before.kind === 'namespace') return before.broken === true
  if (before.kind !== 'link' || wanted.kind !== 'link') return false
  return JSON.stringify(before.make) !== JSON.stringify(wanted.make)
}

/**
 * What goes by itself with what it stands on needs no word; nor does what was found, and what is only a setting. A pair whose
 * other end is in a namespace that goes is removed all the same: the kernel takes its time over namespaces.
 */
function isRemoved(object: KernelObject, gone: ReadonlySet<string>, desired: Objects): boolean {
  if (!gone.has(keyOf(object)) || object.kind === 'setting') return false
  if (object.kind === 'link' && object.make.kind === 'veth' && object.namespace === hostNamespace) return true
  if (standsOn(object).some((below) => gone.has(below))) return false
  if (object.kind === 'link' && object.make.kind === 'found') return isLetGo(object, desired)
  return true
}

/** A link that is not ours is let go of out of our bridge, and a tap out of any: nobody judges any more what comes from it. */
function isLetGo({ name, master, ...link }: LinkObject, desired: Objects): boolean {
  if (typeof master !== 'string' || desired.has(keyOf({ name, ...link }))) return false
  return isTap(name) || isOurs(master)
}

function changeOf(object: KernelObject, actual: Objects, gone: ReadonlySet<string>): Change[] {
  const key = keyOf(object)
  const before = gone.has(key) ? undefined : actual.get(key)
  if (!before) return isAbsent(object, actual) ? [] : [{ verb: 'make', object }]
  return isAs(before, object) ? [] : [{ verb: 'alter', object, before }]
}

/** A link of others that is not there is not ours to make. */
const isAbsent = (object: KernelObject, actual: Objects) =>
  object.kind === 'link' && object.make.kind === 'found' && !actual.has(keyOf(object))

/** True if `before` has all that `wanted` asks for; what that leaves open may be anything. */
function isAs(before: KernelObject, wanted: KernelObject): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    if (value === undefined) return true
    return JSON.stringify(before[name as keyof KernelObject]) === JSON.stringify(value)
  })
}
