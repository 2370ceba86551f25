import { CloudError } from '@nubo/kernel'
import { hasRole, isCloudAdmin, type Caller } from './caller.js'

/** What a request aims at: the parameters of its path. */
export type Target = Readonly<Record<string, string | undefined>>

/** True where `caller` may. Pure: what depends on records (whose server is it?) is part of the use case's query. */
export type Rule = (caller: Caller, target: Target) => boolean

/** Who may do what, named and described beside the routes it guards. */
export interface Policy {
  readonly name: string
  readonly description: string
  readonly rule: Rule
}

export const policy = (name: string, description: string, rule: Rule): Policy => ({ name, description, rule })

const onProject = (caller: Caller, role: string) => caller.scope.kind === 'project' && hasRole(caller, role)

/** Any valid token, unscoped ones too. */
export const anyCaller: Rule = () => true
/** May read what the project has. */
export const projectReader: Rule = (caller) => onProject(caller, 'reader')
/** May use the project's resources: make, change and delete servers. */
export const projectMember: Rule = (caller) => onProject(caller, 'member')
/** May do in the project what affects its other members. */
export const projectManager: Rule = (caller) => onProject(caller, 'manager')
/** The operator of the cloud. */
export const cloudAdmin: Rule = isCloudAdmin
/** May see everything and change nothing: the role reader on the system. */
export const systemReader: Rule = (caller) => caller.scope.kind === 'system' && hasRole(caller, 'reader')
/** The user that the path names is the caller. */
export const ownUser: Rule = (caller, target) => target['user_id'] !== undefined && target['user_id'] === caller.userId
/** The project that the path names is the one of the token. */
export const ownProject: Rule = (caller, target) =>
  caller.scope.kind === 'project' && target['project_id'] === caller.scope.projectId

export const either =
  (...rules: readonly Rule[]): Rule =>
  (caller, target) =>
    rules.some((rule) => rule(caller, target))

export const projectReaderOrAdmin = either(projectReader, cloudAdmin)
export const projectMemberOrAdmin = either(projectMember, cloudAdmin)
export const adminOrSystemReader = either(cloudAdmin, systemReader)

/** Throws Forbidden, which names the policy in its details so that each service can word it as its own. */
export function enforce(wanted: Policy, caller: Caller, target: Target = {}): void {
  if (!wanted.rule(caller, target))
    throw new CloudError('Forbidden', `Policy doesn't allow ${wanted.name} to be performed.`, {
      details: { policy: wanted.name },
    })
}
