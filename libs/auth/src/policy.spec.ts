import { describe, expect, it } from '@jest/globals'
import type { DomainId, ProjectId, UserId } from '@nubo/kernel'
import { isCloudAdmin, projectOf, withImpliedRoles, type Caller, type Scope } from './caller.js'
import {
  adminOrSystemReader,
  enforce,
  ownProject,
  ownUser,
  policy,
  projectManager,
  projectMember,
  projectReader,
} from './policy.js'

const project: Scope = { kind: 'project', projectId: 'p1' as ProjectId, projectName: 'demo', projectDomainId: 'd' as DomainId }
const as = (role: string, scope: Scope): Caller => ({
  userId: 'u1' as UserId,
  userName: 'ada',
  userDomainId: 'd' as DomainId,
  scope,
  roles: withImpliedRoles([role]),
  methods: ['password'],
  auditId: 'a',
  parentAuditId: undefined,
  issuedAtMs: 0,
  expiresAtMs: 0,
})

describe('roles', () => {
  it('carry those below them', () => {
    expect(withImpliedRoles(['admin'])).toEqual(['admin', 'manager', 'member', 'reader'])
    expect(withImpliedRoles(['member', 'reader', 'auditor'])).toEqual(['member', 'reader', 'auditor'])
    expect(withImpliedRoles([])).toEqual([])
  })

  it.each<[role: string, scope: Scope, rules: string[]]>([
    ['reader', project, ['projectReader']],
    ['member', project, ['projectReader', 'projectMember']],
    ['manager', project, ['projectReader', 'projectMember', 'projectManager']],
    ['admin', project, ['projectReader', 'projectMember', 'projectManager', 'adminOrSystemReader']],
    ['reader', { kind: 'system' }, ['adminOrSystemReader']],
    ['admin', { kind: 'system' }, ['adminOrSystemReader']],
    ['admin', { kind: 'domain', domainId: 'd' as DomainId }, []],
    ['stranger', project, []],
  ])('%s on %j may what its rules say', (role, scope, expected) => {
    const rules = { projectReader, projectMember, projectManager, adminOrSystemReader }
    const allowed = Object.entries(rules).filter(([, rule]) => rule(as(role, scope), {}))
    expect(allowed.map(([name]) => name)).toEqual(expected)
  })

  it('make an admin of the cloud on a project and on the system, not on a domain', () => {
    expect(isCloudAdmin(as('admin', project))).toBe(true)
    expect(isCloudAdmin(as('admin', { kind: 'system' }))).toBe(true)
    expect(isCloudAdmin(as('admin', { kind: 'domain', domainId: 'd' as DomainId }))).toBe(false)
    expect(isCloudAdmin(as('manager', project))).toBe(false)
  })
})

it('rules of ownership look at the path', () => {
  expect(ownUser(as('reader', project), { user_id: 'u1' })).toBe(true)
  expect(ownUser(as('reader', project), { user_id: 'u2' })).toBe(false)
  expect(ownUser(as('reader', project), {})).toBe(false)
  expect(ownProject(as('reader', project), { project_id: 'p1' })).toBe(true)
  expect(ownProject(as('reader', { kind: 'system' }), { project_id: 'p1' })).toBe(false)
})

it('a refusal names the policy', () => {
  const read = policy('test:read', 'Read', projectReader)
  expect(() => enforce(read, as('reader', project))).not.toThrow()
  expect(() => enforce(read, as('reader', { kind: 'system' }))).toThrow(
    expect.objectContaining({ kind: 'Forbidden', details: { policy: 'test:read' } }),
  )
})

it('needs a project where a project is needed', () => {
  expect(projectOf(as('reader', project))).toBe('p1')
  expect(() => projectOf(as('admin', { kind: 'system' }))).toThrow(expect.objectContaining({ kind: 'Forbidden' }))
})
