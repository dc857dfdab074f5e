export type AlertTable = {
	id: string;
	rule: string;
	/** What it is about: `box:<id>`, `site:<id>` or `server`. At most one open alert per rule and subject. */
	subject: string;
	box: string | null;
	site: string | null;
	severity: string;
	message: string;
	value: number | null;
	/** 'pending' (not yet long enough), 'raised', 'cleared'. */
	state: string;
	/** Since when the cause is there (pending) or gone (raised, on its way to cleared). */
	since_ms: number;
	/** 1 while the cause is there. */
	bad: number;
	raised_ms: number;
	changed_ms: number;
	cleared_ms: number | null;
	count: number;
	acknowledged_by: string | null;
	acknowledged_ms: number | null;
	acknowledged_note: string | null;
	group_id: string | null;
	boxes: number | null;
	/** 0: nobody was told; 1: the channels have that it was raised; 2: and that it was cleared. */
	notified: number;
};

export type AlertRuleTable = {
	rule: string;
	/** JSON. */
	settings: string;
};

export type AlertMuteTable = {
	id: string;
	rule: string | null;
	filter: string;
	until_ms: number;
	reason: string;
	by_name: string;
	created_ms: number;
};

export type AlertChannelTable = {
	id: string;
	name: string;
	severity_min: string;
	/** JSON. */
	target: string;
	/** Signs what is sent to a webhook. */
	secret: string | null;
	created_ms: number;
	last_sent_ms: number | null;
	last_error: string | null;
};

/** One message to one channel, until it was taken or given up. */
export type AlertNotificationTable = {
	id: string;
	channel_id: string;
	/** JSON. */
	body: string;
	created_ms: number;
	attempts: number;
	next_ms: number;
};

/** Tables of `ota/fleet/alert`. */
export type AlertTables = {
	alert: AlertTable;
	alert_rule: AlertRuleTable;
	alert_mute: AlertMuteTable;
	alert_channel: AlertChannelTable;
	alert_notification: AlertNotificationTable;
};
