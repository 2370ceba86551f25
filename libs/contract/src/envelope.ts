import type {
  HostId,
  ImageId,
  NetworkId,
  OperationId,
  PortId,
  ProjectId,
  RequestId,
  RouterId,
  SecurityGroupId,
  ServerId,
  SessionId,
  StepId,
  UserId,
} from '@nubo/kernel'
import { z } from 'zod'

const uuid = z.uuid()

/** Ids as they travel: checked to be UUIDs, then known by their kind. */
export const serverId = uuid.transform((id) => id as ServerId)
export const hostId = uuid.transform((id) => id as HostId)
export const imageId = uuid.transform((id) => id as ImageId)
export const networkId = uuid.transform((id) => id as NetworkId)
export const portId = uuid.transform((id) => id as PortId)
export const securityGroupId = uuid.transform((id) => id as SecurityGroupId)
export const routerId = uuid.transform((id) => id as RouterId)
export const operationId = uuid.transform((id) => id as OperationId)
export const stepId = uuid.transform((id) => id as StepId)
export const sessionId = uuid.transform((id) => id as SessionId)
export const requestId = z
  .string()
  .min(1)
  .max(64)
  .transform((id) => id as RequestId)
export const projectId = z
  .string()
  .min(1)
  .max(64)
  .transform((id) => id as ProjectId)
export const userId = z
  .string()
  .min(1)
  .max(64)
  .transform((id) => id as UserId)

/** What PostgreSQL's `int` holds. */
const int = z.int().max(2 ** 31 - 1)

/** Grows with every command to one server, from 1. An agent refuses a lower one and answers an equal one from its journal. */
export const fence = int.positive()
/** Grows with every allocation of one server, from 1; stamped into the domain. */
export const incarnation = int.positive()
/** Of a host, from 1: rises only when the host is declared dead. */
export const fencingEpoch = int.positive()
/**
 * Counts what an agent saw within one session. Reports may arrive late and out of order: of two about the same, the one with
 * the higher sequence is the newer.
 */
export const sequence = z.int().positive()
/** Of what a registration says, which was seen before the session began: maybe before what was seen last in the one before. */
export const registrationSequence = 1
/** Nova's power_state codes, as a host sees its guest. */
export const powerState = z.union([z.literal(0), z.literal(1), z.literal(3), z.literal(4), z.literal(6), z.literal(7)])
export type PowerStateCode = z.output<typeof powerState>
