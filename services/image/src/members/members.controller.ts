import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once, type ImageMemberRow, type MemberStatus } from '@nubo/database'
import { CloudError, type ProjectId, type RequestKey } from '@nubo/kernel'
import { CurrentCaller, CurrentRequestKey, Guarded, Idempotent } from '@nubo/service-kit'
import { secondsTimestamp } from '@nubo/wire'
import { addMember, deleteMember, getMember, getMembers, imageIdOf, modifyMember } from '../access.js'
import { isStorable } from '../images/image.schemas.js'
import { MembersService } from './members.service.js'

/** `/v2/images/{id}/members`. */
@Controller('v2/images/:image_id/members')
export class MembersController {
  constructor(@Inject(MembersService) private readonly members: MembersService) {}

  @Post()
  @HttpCode(200)
  @Guarded(addMember)
  @Idempotent()
  async add(
    @CurrentCaller() caller: Caller,
    @Param('image_id') id: string,
    @Body() body: unknown,
    @CurrentRequestKey() key: RequestKey | undefined,
  ) {
    return memberView(await this.members.add(caller, imageIdOf(id), readNewMember(body), new Once(key, memberView)))
  }

  @Get()
  @Guarded(getMembers)
  async list(@CurrentCaller() caller: Caller, @Param('image_id') id: string) {
    const members = await this.members.list(caller, imageIdOf(id))
    return { members: members.map(memberView), schema: '/v2/schemas/members' }
  }

  @Get(':member_id')
  @Guarded(getMember)
  async show(@CurrentCaller() caller: Caller, @Param('image_id') id: string, @Param('member_id') member: string) {
    return memberView(await this.members.show(caller, imageIdOf(id), readMemberId(member)))
  }

  @Put(':member_id')
  @Guarded(modifyMember)
  async setStatus(
    @CurrentCaller() caller: Caller,
    @Param('image_id') id: string,
    @Param('member_id') member: string,
    @Body() body: unknown,
  ) {
    const status = readStatus(body)
    return memberView(await this.members.setStatus(caller, imageIdOf(id), readMemberId(member), status))
  }

  @Delete(':member_id')
  @HttpCode(204)
  @Guarded(deleteMember)
  remove(@CurrentCaller() caller: Caller, @Param('image_id') id: string, @Param('member_id') member: string): Promise<void> {
    return this.members.remove(caller, imageIdOf(id), readMemberId(member))
  }
}

function memberView(member: ImageMemberRow) {
  return {
    member_id: member.projectId,
    image_id: member.imageId,
    status: member.status,
    created_at: secondsTimestamp(member.createdAt),
    updated_at: secondsTimestamp(member.updatedAt),
    schema: '/v2/schemas/member',
  }
}

/** An id that cannot be stored is no member. */
function readMemberId(text: string): ProjectId {
  if (!isStorable(text)) throw new CloudError('NotFound', 'The resource could not be found.')
  return text as ProjectId
}

function objectOf(body: unknown, expected: string): Record<string, unknown> {
  if (body === undefined) throw new CloudError('Invalid', 'Body expected in request.')
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new CloudError('Invalid', expected)
  return body as Record<string, unknown>
}

function readNewMember(body: unknown): ProjectId {
  const form = 'Expected a member in the form: {"member": "image_id"}'
  const { member } = objectOf(body, form)
  if (member === undefined) throw new CloudError('Invalid', 'Member to be added not specified')
  if (member === '' || member === null) throw new CloudError('Invalid', "Member can't be empty")
  if (typeof member !== 'string' || member.length > 255 || !isStorable(member)) throw new CloudError('Invalid', form)
  return member as ProjectId
}

function readStatus(body: unknown): MemberStatus {
  const { status } = objectOf(body, 'Expected a status in the form: {"status": "status"}')
  if (status === undefined) throw new CloudError('Invalid', 'Status not specified')
  if (status === 'pending' || status === 'accepted' || status === 'rejected') return status
  throw new CloudError('Invalid', 'Incorrect request: Status must be "pending", "accepted" or "rejected".')
}
