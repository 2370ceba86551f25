import type { Files } from '../files.js'

/** Files that take no time, for tests on virtual time. */
export function memoryFiles(): Files {
  const files = new Map<string, string>()
  const below = (directory: string) => [...files.keys()].filter((path) => path.startsWith(`${directory}/`))
  return {
    read: async (path) => files.get(path),
    write: async (path, text) => void files.set(path, text),
    async remove(path) {
      for (const each of [path, ...below(path)]) files.delete(each)
    },
    async rename(path, to) {
      for (const each of [path, ...below(path)]) {
        const text = files.get(each)
        if (text !== undefined) files.set(`${to}${each.slice(path.length)}`, text)
        files.delete(each)
      }
    },
    list: async (directory) => [...new Set(below(directory).map((path) => path.slice(directory.length + 1).split('/')[0]!))],
    makeDirectory: async () => {},
    bytesIn: async (directory) => below(directory).reduce((sum, path) => sum + files.get(path)!.length, 0),
  }
}
