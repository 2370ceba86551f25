/** Of docs/promises.md; those that no look at a cloud can show are tests alone. */
export type PromiseNumber = 1 | 2 | 3 | 4 | 5 | 6 | 8

interface FindingKind {
  promise: PromiseNumber
  /** Whether a record says what is right, so that it can be put right without a guess. */
  mendable: boolean
  /** What the repair does, or what a person does where there is none. */
  how: string
}

const byHand = (promise: PromiseNumber, how: string): FindingKind => ({ promise, mendable: false, how })
const byRecord = (promise: PromiseNumber, how: string): FindingKind => ({ promise, mendable: true, how })

/** Everything that an examination can find. */
export const findingKinds = {
  'room.counters-differ': byRecord(1, "The host's counters are set to the sum of its allocations."),
  'room.above-capacity': byHand(1, 'Delete servers of this host, or give back what its configuration took away.'),
  'room.allocation-differs': byHand(1, 'Delete the server and make it again: what it holds is not what it has.'),

  'server.room-missing': byHand(2, 'Delete the server: its host holds no room for it, and may not have any.'),
  'server.host-missing': byRecord(2, 'The server is on the host again that holds room for it.'),
  'server.on-two-hosts': byHand(2, 'Stop the guest on the host that its record does not name, and look at its disks first.'),
  'host.unanswered': byHand(
    2,
    'See whether its agent runs, and reaches the queue and its hypervisor: what lies on the host was not looked at.',
  ),
  'allocation.orphaned': byRecord(
    2,
    'The host is told to remove what lies there of this incarnation, and then the room is freed.',
  ),

  'port.astray': byHand(2, 'Stop and start the server; if it stays so, detach the port from it and attach it again.'),

  'operation.without-step': byRecord(3, 'The operation is ended as failed; a deletion is begun again.'),
  'operation.without-deadline': byRecord(3, 'Its deadline is set to now, so that it is ended.'),
  'operation.overdue': byHand(3, 'See whether a conductor runs: it ends what is overdue.'),
  'deadlines.unwatched': byHand(3, 'Start a conductor: none has looked at the deadlines for longer than it ever should.'),
  'queue.unread': byHand(3, 'See whether those who take its messages run: schedulers (placement), conductors (reports).'),
  'queue.unreachable': byHand(
    3,
    'See whether Redis runs and can be reached: until then nobody is told of anything, and hosts were not looked at.',
  ),
  'step.never-hinted': byRecord(3, 'The step is made due now.'),
  'step.hint-overdue': byHand(3, 'See whether a conductor runs and reaches the queue: it hints again at what is due.'),
  'step.of-fenced-host': byHand(3, 'See whether a conductor runs: it settles what waits for a fenced host.'),
  'step.of-ended-operation': byRecord(3, 'The step is closed as revoked.'),
  'server.in-transition': byRecord(3, 'A server that was never built becomes ERROR; any other is what it was before.'),
  'server.not-deleted': byRecord(3, 'Its deletion is begun again.'),
  'server.drifted': byRecord(3, 'The server follows what its host saw, as at a report.'),

  'network.untold': byHand(3, 'See whether a conductor runs: it tells hosts what changed.'),
  'router.waiting': byRecord(3, 'The host is told anew that it does not carry the router, and says so.'),
  'network.unanswered': byHand(
    3,
    'Look at the log of the host’s agent: it says what it waits for. A restart of it has all made anew.',
  ),
  'network.trouble': byHand(3, 'Put right what the host says is missing: it tries again by itself.'),
  'network.warning': byHand(
    3,
    'Widen the link that it names, or lower networks.underlayMtu of the api; raise nf_conntrack_max, and look at the port that it names.',
  ),

  'key.names-nothing': byHand(
    4,
    'Delete the row of idempotency_keys: until then, or for a day, the request is answered with what is not there.',
  ),

  'host.quarantined': byHand(5, 'Look at the host, put right what it lost, and let it take part again: nubo host release.'),
  'guest.unknown': byHand(5, 'Nobody here knows this guest. Look at it on its host, and remove it there if it is nobody else’s.'),
  'guest.not-recorded': byRecord(5, 'The host is told to remove what lies there up to the incarnation that the record names.'),
  'guest.missing': byHand(5, 'Its guest and disks are gone from its host. Delete the server and make it again.'),
  'guest.lacks-disk': byHand(
    5,
    'It cannot be started again. Put back what is missing, or save what a guest that still runs holds; then delete the server and make it again.',
  ),
  'journal.fence-ahead': byHand(
    5,
    'The host carried out commands that the records do not know: was the database put back to an earlier time?',
  ),
  'journal.tombstone-on-record': byHand(5, 'The host holds the guest for destroyed. Delete the server and make it again.'),

  'allocation.of-deleted': byRecord(6, 'The host is told again to remove the guest, and then its room is freed.'),
  'port.of-deleted': byHand(6, 'Delete the port: nothing stands on it any more.'),
  'port.held': byRecord(6, 'The host is told its networks anew, and says that it carries the port no more.'),
  'tombstone.refused': byHand(
    6,
    'The host answers, and does not remove the guest: its last failure says why, or the log of its agent.',
  ),
  'disk.unknown': byHand(6, 'Nobody here knows whose disk this is. Look at it on its host before it is removed.'),
  'disk.not-recorded': byRecord(6, 'The host is told to remove what lies there up to the incarnation that the record names.'),

  'quota.use-differs': byRecord(8, "The project's use is set to the sum over its servers."),
  'quota.network-use-differs': byHand(
    8,
    'A defect of ours: say what was done. Set the counters in project_quotas to what the project has.',
  ),
} as const satisfies Record<string, FindingKind>

export type FindingCode = keyof typeof findingKinds
