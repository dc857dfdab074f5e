/** What can go wrong while a box takes part in its fleet. */
export type MemberErrorCode =
	| 'OTA_CONFIG_FORBIDDEN'
	| 'OTA_CONFIG_REVERTED'
	| 'OTA_MEMBER_NO_REBOOT'
	| 'OTA_MEMBER_NO_SERVICE'
	| 'OTA_MEMBER_NO_SIGNAL'
	| 'OTA_MEMBER_TERMINAL_OFF'
	| 'OTA_MEMBER_TRIAL_UNKNOWN';
