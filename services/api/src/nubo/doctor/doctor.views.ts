import type { SurveyedHost } from '@nubo/control-plane'
import type { AbandonedGuestNote, Tombstone } from '@nubo/database'
import { secondsTimestamp } from '@nubo/wire'
import type { Told, ToldExamination } from './doctor.service.js'

export function examinationView({ findings, tombstones, abandoned, hosts }: ToldExamination) {
  return {
    healthy: findings.every(({ outcome }) => outcome?.mended),
    findings: findings.map(findingView),
    tombstones: tombstones.map(tombstoneView),
    abandoned: abandoned.map(abandonedView),
    hosts: hosts.map(hostView),
  }
}

function findingView({ promise, code, about, message, since, repair, outcome }: Told) {
  return {
    promise,
    code,
    message,
    since: since && secondsTimestamp(since),
    server_id: about.serverId ?? null,
    incarnation: about.incarnation ?? null,
    host_id: about.hostId ?? null,
    host: about.hostName ?? null,
    operation_id: about.operationId ?? null,
    step_id: about.stepId ?? null,
    project_id: about.projectId ?? null,
    queue: about.queue ?? null,
    repair: { possible: repair.possible, how: repair.how },
    ...(outcome && { outcome: { mended: outcome.mended, message: outcome.message } }),
  }
}

function tombstoneView(tombstone: Tombstone) {
  return {
    server_id: tombstone.serverId,
    incarnation: tombstone.incarnation,
    host_id: tombstone.hostId,
    host: tombstone.hostName,
    host_alive: tombstone.hostAlive,
    since: secondsTimestamp(tombstone.deletedAt),
    vcpus: tombstone.vcpus,
    memory_mib: tombstone.memoryMiB,
    disk_gib: tombstone.diskGiB,
    operation_id: tombstone.operationId,
    last_failure: tombstone.lastFailure,
  }
}

function abandonedView({ serverId, incarnation, hostId, hostName, abandonedAt }: AbandonedGuestNote) {
  return { server_id: serverId, incarnation, host_id: hostId, host: hostName, since: secondsTimestamp(abandonedAt) }
}

function hostView({ hostId, name, survey, images, freeBytes, trouble }: SurveyedHost) {
  const servers = survey?.servers ?? []
  return {
    id: hostId,
    name,
    answered: survey !== undefined,
    trouble: trouble ?? null,
    guests: survey ? servers.filter(({ domain }) => domain).length : null,
    disk_bytes: survey ? servers.flatMap(({ folders }) => folders).reduce((sum, { bytes }) => sum + bytes, 0) : null,
    images: images?.count ?? null,
    image_bytes: images?.bytes ?? null,
    free_bytes: freeBytes ?? null,
  }
}
