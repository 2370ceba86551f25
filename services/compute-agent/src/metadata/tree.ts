/** What stands at a path: a text, a list of names, or what is below it. */
export type Node = string | readonly string[] | { readonly [name: string]: Node }

/** What is to be shown in a parent's list in place of its own name (Nova's `_name`). */
export const shownAs = '_name'

/** The node at the end of these names; undefined where there is none. */
export function nodeAt(node: Node, names: readonly string[]): Node | undefined {
  const [name, ...rest] = names
  if (name === undefined) return node
  if (!isBranch(node) || !Object.hasOwn(node, name)) return undefined
  return nodeAt(node[name]!, rest)
}

const isBranch = (node: Node): node is { readonly [name: string]: Node } => typeof node === 'object' && !Array.isArray(node)

/** As EC2 writes it, and Nova (`ec2_md_print`): a line for each name, and a slash where there is more below it. */
export function printed(node: Node): string {
  if (typeof node === 'string') return node
  if (!isBranch(node)) return node.join('\n')
  const names = Object.keys(node).filter((name) => name !== shownAs)
  return names
    .toSorted()
    .map((name) => line(name, node[name]!))
    .join('\n')
}

function line(name: string, node: Node): string {
  if (!isBranch(node)) return name
  const shown = node[shownAs]
  return typeof shown === 'string' ? shown : `${name}/`
}
