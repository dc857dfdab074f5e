/** What can go wrong in the runtime that every box shares. Roles keep unions of their own. */
export type ApplianceErrorCode =
	| 'APPLIANCE_CONFIG_INVALID'
	| 'APPLIANCE_CONFIG_UNREADABLE'
	| 'APPLIANCE_LISTEN_FAILED'
	| 'APPLIANCE_OBJECT_URI_INVALID'
	| 'APPLIANCE_SERVICE_STOPPED'
	| 'APPLIANCE_STOP_TIMEOUT'
	| 'APPLIANCE_USAGE';
