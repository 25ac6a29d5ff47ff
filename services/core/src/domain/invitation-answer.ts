// Whether an invitation can be answered. Somebody else's looks like one that does not exist, so that ids cannot be probed.
export type AnswerRefusal = 'invitation_not_found' | 'invitation_answered';

export interface InvitationState {
  userId: number;
  state: string;
  roomDeleted: boolean;
}

export function refusalOf(invitation: InvitationState | undefined, userId: number): AnswerRefusal | undefined {
  if (!invitation || invitation.userId !== userId) return 'invitation_not_found';
  if (invitation.state !== 'pending') return 'invitation_answered';
  return invitation.roomDeleted ? 'invitation_not_found' : undefined;
}
