import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse, type ScalarTag, type Tags } from 'yaml'
import { usageError } from '../exit.js'
import { fileProblem } from '../files.js'
import type { World } from '../world.js'

export type Mapping = { [key: string]: unknown }

/** Where configuration may lie. */
export type Surroundings = Pick<World, 'environment' | 'currentDirectory' | 'homeDirectory' | 'systemDirectory'>

export interface CloudsFiles {
  /** The clouds.yaml that is used, secure.yaml merged into it. */
  clouds: { [name: string]: Mapping }
  /** `clouds-public.yaml`: what `profile` in a cloud refers to. */
  profiles: { [name: string]: Mapping }
  /** Where `clouds` came from; undefined where there is no such file. */
  path: string | undefined
  warnings: string[]
}

const suffixes = ['.yaml', '.yml', '.json']

/**
 * Finds and reads the files as openstacksdk does (openstack/config/loader.py): the first of each kind that exists and can
 * be read, in $OS_CLIENT_CONFIG_FILE (or $OS_CLIENT_SECURE_FILE), the current folder, $XDG_CONFIG_HOME/openstack,
 * ~/.config/openstack, $XDG_CONFIG_DIRS/openstack and /etc/openstack.
 */
export function readCloudsFiles(world: Surroundings): CloudsFiles {
  const warnings: string[] = []
  const read = (name: string, override: string | undefined) => readFirst(candidates(world, name, override), override, warnings)
  const clouds = read('clouds', world.environment.OS_CLIENT_CONFIG_FILE)
  const secure = read('secure', world.environment.OS_CLIENT_SECURE_FILE)
  const profiles = read('clouds-public', undefined)
  const merged = merge(clouds?.content ?? {}, secure?.content ?? {})
  return {
    clouds: mappingsIn(merged.clouds, clouds?.path ?? secure?.path ?? 'clouds.yaml', 'clouds'),
    profiles: mappingsIn(profiles?.content['public-clouds'], profiles?.path ?? 'clouds-public.yaml', 'public-clouds'),
    path: clouds?.path,
    warnings,
  }
}

function candidates(world: Surroundings, name: string, override: string | undefined): string[] {
  const { XDG_CONFIG_HOME, XDG_CONFIG_DIRS } = world.environment
  const unixHome = join(world.homeDirectory, '.config')
  const siteDirectories = (XDG_CONFIG_DIRS || join(world.systemDirectory, 'xdg')).split(':').filter((path) => path !== '')
  const folders = [
    world.currentDirectory,
    ...[XDG_CONFIG_HOME || unixHome, unixHome, ...siteDirectories, world.systemDirectory].map((folder) =>
      join(folder, 'openstack'),
    ),
  ]
  const searched = folders.flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)))
  return override ? [expandHome(override, world.homeDirectory), ...searched] : searched
}

function readFirst(
  paths: string[],
  override: string | undefined,
  warnings: string[],
): { path: string; content: Mapping } | undefined {
  for (const [index, path] of paths.entries()) {
    if (!existsSync(path)) {
      if (override && index === 0) warnings.push(`${path} does not exist; looking for another`)
      continue
    }
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      warnings.push(`${path} cannot be read (${fileProblem(error)}); looking for another`)
      continue
    }
    return { path, content: parseFile(path, text) }
  }
  return undefined
}

/** YAML 1.1 as PyYAML reads it: `verify: no` is false, not the word; but `y` and `n` alone stay letters. */
const asPythonReads = {
  version: '1.1',
  uniqueKeys: false,
  prettyErrors: false,
  customTags: (tags: Tags): Tags =>
    tags.map((tag) => {
      const { test } = tag as ScalarTag
      return typeof tag === 'object' && tag.tag === 'tag:yaml.org,2002:bool' && test
        ? ({ ...tag, test: new RegExp(test.source.replace(/(Y\|y|N\|n)\|/, '')) } as ScalarTag)
        : tag
    }),
} as const

function parseFile(path: string, text: string): Mapping {
  let content: unknown
  try {
    content = path.endsWith('.json') ? JSON.parse(text) : parse(text, asPythonReads)
  } catch (error) {
    throw usageError(`${path} is not valid ${path.endsWith('.json') ? 'JSON' : 'YAML'}: ${positionOf(error, text)}`)
  }
  if (content === null || content === undefined) return {}
  if (!isMapping(content)) throw usageError(`${path} must be a mapping with the key 'clouds'`)
  return content
}

/** The problem and its line, without quoting the line: it may be the one with the password. */
function positionOf(error: unknown, text: string): string {
  const { code, pos } = error as { code?: string; pos?: [number, number] }
  if (!pos) return code ?? 'cannot be parsed'
  return `${code} in line ${text.slice(0, pos[0]).split('\n').length}`
}

function mappingsIn(section: unknown, path: string, key: string): { [name: string]: Mapping } {
  if (section === undefined || section === null) return {}
  if (!isMapping(section)) throw usageError(`${path}: '${key}' must be a mapping from names to clouds`)
  for (const [name, cloud] of Object.entries(section)) {
    if (!isMapping(cloud)) throw usageError(`${path}: the cloud '${name}' must be a mapping`)
  }
  return section as { [name: string]: Mapping }
}

function merge(older: Mapping, newer: Mapping): Mapping {
  const merged = { ...older }
  for (const [key, value] of Object.entries(newer)) {
    const before = merged[key]
    merged[key] = isMapping(value) && isMapping(before) ? merge(before, value) : value
  }
  return merged
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

export function expandHome(path: string, home: string = homedir()): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path
}
