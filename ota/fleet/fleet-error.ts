/** What can go wrong in the fleet server's own skeleton; parts keep unions of their own. */
export type FleetErrorCode =
	| 'OTA_BROKER_REFUSED'
	| 'OTA_BROKER_UNREACHABLE'
	| 'OTA_COMMAND_ARGUMENTS'
	| 'OTA_CONFIG_INVALID'
	| 'OTA_CURSOR_INVALID'
	| 'OTA_LEASE_LOST'
	| 'OTA_NOT_ALLOWED'
	| 'OTA_ORDER_KEY_LOST'
	| 'OTA_STATE_HELD'
	| 'OTA_STATE_UNUSABLE'
	| 'OTA_UNKNOWN_BOX'
	| 'OTA_UNKNOWN_COMMAND'
	| 'OTA_UNKNOWN_SITE';
