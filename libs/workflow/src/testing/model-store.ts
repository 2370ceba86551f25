import { assert, type HostId, type OperationId, type ServerId, type StepId } from '@nubo/kernel'
import type { Failure, PowerStateCode } from '@nubo/contract'
import type { Located, OperationRecord, ServerRecord, StepRecord, Wanted } from '../records.js'
import type {
  ClosedStep,
  NewOperation,
  NewStep,
  OperationEnd,
  OperationTransaction,
  SeenPower,
  SeenWithResult,
} from '../store.js'

export interface ModelStep extends StepRecord {
  operationId: OperationId
}

/** The records of one server and its operations, in memory: what the rules of operations can be held against. */
export class ModelStore implements OperationTransaction {
  readonly operations: (OperationRecord & { hasDeadline: boolean })[] = []
  readonly steps: ModelStep[] = []

  constructor(public server: ServerRecord) {}

  get live(): OperationRecord | undefined {
    return this.operations.find(({ state }) => state === 'running' || state === 'unwinding')
  }

  get open(): ModelStep[] {
    return this.steps.filter((step) => step.state === 'open')
  }

  async lockStep(stepId: StepId): Promise<Located | undefined> {
    const step = this.steps.find((each) => each.id === stepId)
    return step && { step: { ...step }, operation: { ...this.operation(step.operationId) }, server: { ...this.server } }
  }

  async lockServer(): Promise<{ server: ServerRecord; live: Located | undefined }> {
    const step = this.open.find(({ operationId }) => operationId === this.live?.id)
    return { server: { ...this.server }, live: step && (await this.lockStep(step.id)) }
  }

  async beginOperation({ id, kind, serverId, projectId, userId, requestId, input }: NewOperation, first: NewStep): Promise<void> {
    assert(!this.live, 'a server has one live operation at the most')
    const given = { id, kind, serverId, projectId, userId, requestId, input }
    this.operations.push({ ...given, state: 'running', message: null, failureScope: null, hasDeadline: true })
    this.openStep(first)
  }

  async beginUnwinding(id: OperationId, { message, scope }: Failure): Promise<void> {
    Object.assign(this.operation(id), { state: 'unwinding', message, failureScope: scope })
  }

  async resumeOperation(id: OperationId): Promise<void> {
    this.operation(id).state = 'running'
  }

  async liftDeadline(id: OperationId): Promise<void> {
    this.operation(id).hasDeadline = false
  }

  async advanceStep(closed: ClosedStep, next: NewStep): Promise<void> {
    this.close(closed)
    this.openStep(next)
  }

  async finishOperation(closed: ClosedStep, { state, message }: OperationEnd): Promise<void> {
    const operation = this.operation(this.close(closed).operationId)
    Object.assign(operation, { state, message: message ?? operation.message, hasDeadline: false })
  }

  async setWanted(_id: ServerId, wanted: Wanted): Promise<void> {
    this.server.wanted = wanted
  }

  async markActive(_id: ServerId, { powerState }: SeenPower): Promise<void> {
    this.rest('active', powerState)
  }

  async markStopped(_id: ServerId, { powerState }: SeenPower): Promise<void> {
    this.rest('stopped', powerState)
  }

  async recordSeen(_id: ServerId, { powerState }: SeenWithResult): Promise<PowerStateCode> {
    return (this.server.powerState = powerState)
  }

  async leaveAsItIs(): Promise<void> {
    this.rest(this.server.vmState, this.server.powerState)
  }

  async markError(): Promise<void> {
    this.rest('error', this.server.powerState)
  }

  async markDeleted(): Promise<void> {
    this.rest('deleted', 0)
  }

  async releaseRoom(): Promise<void> {
    this.server.hostId = null
  }

  async releasePorts(): Promise<void> {
    this.server.hasPorts = false
  }

  async giveUpPorts(): Promise<void> {}

  async releasePort(): Promise<void> {
    this.server.hasPorts = false
  }

  /** As a scheduler that claims room does. */
  claim(hostId: HostId): void {
    this.server.hostId = hostId
    this.server.incarnation++
  }

  private rest(vmState: string, powerState: ServerRecord['powerState']): void {
    Object.assign(this.server, { vmState, powerState, taskState: null })
  }

  private openStep(step: NewStep): void {
    const { id, operationId, name, direction, hostId, attempt, raiseFence, taskState, wanted } = step
    assert(!this.open.some((each) => each.operationId === operationId), 'an operation has one open step at the most')
    if (raiseFence) this.server.fence++
    this.server.taskState = taskState ?? this.server.taskState
    this.server.wanted = wanted ?? this.server.wanted
    this.steps.push({ id, operationId, name, direction, state: 'open', hostId, fence: this.server.fence, attempt })
  }

  private close({ id, state }: ClosedStep): ModelStep {
    const step = this.steps.find((each) => each.id === id && each.state === 'open')
    assert(step, 'only an open step is closed')
    step.state = state
    return step
  }

  private operation(id: OperationId) {
    const found = this.operations.find((each) => each.id === id)
    assert(found, 'there is such an operation')
    return found
  }
}
