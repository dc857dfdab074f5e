/** What can go wrong between a box and the authority that certifies it. */
export const identityErrorCodes = [
	'APPLIANCE_CLAIM_INVALID',
	'APPLIANCE_CLAIM_OTHER_BOX',
	'APPLIANCE_CLAIM_NONE',
	'APPLIANCE_KEY_UNREADABLE',
	'APPLIANCE_EST_UNREACHABLE',
	'APPLIANCE_EST_REFUSED',
	'APPLIANCE_EST_LATER',
	'APPLIANCE_EST_FAILED',
	'APPLIANCE_EST_ANSWER_INVALID',
] as const;
export type IdentityErrorCode = (typeof identityErrorCodes)[number];
